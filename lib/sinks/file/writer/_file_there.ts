/**
 * Whether the file that is written is there, and its name: systems go on taking what is written into a
 * file that was removed, which nobody can read any more.
 *
 * @module
 */
import type { FileAdapter, WritableFile } from "../../../adapters/files/types.ts";
import { FileExists, FileGone, reason } from "../../../base/errors.ts";
import type { RrdTarget, RrdWriterOptions } from "./writer_options.ts";

/** @throws {FileGone} if it is for sure that nothing stands there, or another file */
export async function checkThere(
  path: string,
  files: FileAdapter,
  file: WritableFile,
): Promise<void> {
  // Where nothing stands it can't be compared.
  const isAt = await file.isAt?.(path).catch(() => undefined);
  if (isAt === true) return;
  const kind = await files.kind(path).catch(() => "other");
  if (kind === undefined || isAt === false) throw new FileGone(path);
}

/**
 * Gives a file that is written the name that it is to have.
 *
 * @throws {FileExists} if another file has it, which is not to be replaced
 */
export async function giveName(
  { path, written }: RrdTarget,
  { adapter, replace }: RrdWriterOptions,
): Promise<void> {
  if (!replace && await adapter.kind(path) !== undefined) throw new FileExists(path);
  await adapter.rename(written, path);
}

/** A failure of which something else came that failed too: what could not be done, and why. */
export function alsoFailed(failure: unknown, what: string, error: unknown): AggregateError {
  const text = `${reason(failure)}; ${what}: ${reason(error)}`;
  return new AggregateError([failure, error], text);
}
