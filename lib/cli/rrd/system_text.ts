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

/** What stands in the text of a name for bytes that are not UTF-8. */
const REPLACED = "\uFFFD";

/** Whether some of a name was not UTF-8, perhaps: whether it can be opened tells. */
export function mayBeNotUtf8(path: string): boolean {
  return path.includes(REPLACED);
}

/**
 * Why a path can't be read: as {@linkcode systemText}, but the system only finds nothing at a path of
 * which not all was UTF-8, for programs in JavaScript know names as texts.
 */
export function pathText(path: string, error: unknown): string {
  if (codeOf(error) !== "ENOENT" || !mayBeNotUtf8(path)) return systemText(error);
  return "its name is not UTF-8, so that this program can't open it: rename it";
}

/** Such as `ENOENT`. */
export function codeOf(error: unknown): string | undefined {
  return (error as { code?: string } | undefined)?.code;
}
