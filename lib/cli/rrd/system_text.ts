/**
 * Errors of the operating system, in the same words on every runtime.
 *
 * @module
 */
import { reason } from "../../base/errors.ts";

const TEXTS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  ENOTDIR: "there is no such file or folder",
  EISDIR: "it is a folder",
  EACCES: "there is no permission",
  EPERM: "there is no permission",
  ENOSPC: "the disk is full",
  EROFS: "the disk is read-only",
  ENAMETOOLONG: "the name is too long",
};

/** The text of an error of the operating system, or of any other. */
export function systemText(error: unknown): string {
  return TEXTS[codeOf(error) ?? ""] ?? reason(error);
}

/** Such as `ENOENT`. */
export function codeOf(error: unknown): string | undefined {
  return (error as { code?: string } | undefined)?.code;
}
