/**
 * Tells errors of the disk that pass from those that stay.
 *
 * @module
 */
import { RerelayError } from "../base/errors.ts";

/** A file can't be read now, so that others are sent before it. */
export class FileUnreadable extends Error {
  override readonly name = "FileUnreadable";
}

/** What the system says of a file that may be readable later, with Linux' numbers. */
const PASSING: Readonly<Record<string, number>> = {
  // Too many files are open: in this process, or in all of them.
  ...{ EMFILE: 24, ENFILE: 23 },
  // It may not be read, until somebody changes that.
  ...{ EACCES: 13, EPERM: 1 },
  // There is no memory, somebody else has it, or a network drive does not answer.
  ...{ ENOMEM: 12, EBUSY: 16, EAGAIN: 11, ETIMEDOUT: 110, ESTALE: 116 },
};

/**
 * Whether a file that could not be read may be readable later; one that is gone, or has a bad spot
 * (`EIO`), stays as it is.
 *
 * @param error of opening or reading a file
 */
export function isUnreadableNow(error: unknown): boolean {
  if (error instanceof FileUnreadable) return true;
  if (!(error instanceof Error) || error instanceof RerelayError) return false;
  const { code, message } = error as Error & { readonly code?: unknown };
  if (typeof code === "string") return Object.hasOwn(PASSING, code);
  // Deno gives some errors no code, but always the system's number.
  const [, number] = /\(os error (\d+)\)/.exec(message) ?? [];
  return Object.values(PASSING).includes(Number(number));
}
