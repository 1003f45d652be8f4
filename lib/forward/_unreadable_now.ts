/**
 * Tells errors of the disk that pass from those that stay.
 *
 * @module
 */
import { RerelayError } from "../base/errors.ts";

/**
 * Whether a file that could not be read may be readable later: a process may have too many files open
 * (`EMFILE`), or may not read a file now (`EACCES`). A file that is not there, and a bad spot of the
 * disk (`EIO`), stay as they are.
 *
 * @param error of opening or reading a file
 */
export function isUnreadableNow(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof RerelayError) return false;
  const { code, message } = error as Error & { readonly code?: unknown };
  // Deno gives some errors no code, but always the system's number.
  const [, number] = /\(os error (\d+)\)/.exec(message) ?? [];
  if (typeof code !== "string" && number === undefined) return false;
  return code !== "ENOENT" && code !== "EIO" && number !== "2" && number !== "5";
}
