/**
 * Checks that the file being written is still there, and gives it its name. Systems go on accepting
 * writes to a file that was removed, which nobody can read any more.
 *
 * @module
 */
import type { FileAdapter, WritableFile } from "../../../adapters/files/types.ts";
import { FileExists, FileGone, reason } from "../../../base/errors.ts";
import type { RrdTarget, RrdWriterOptions } from "./writer_options.ts";

/** @throws {FileGone} if it is certain that nothing is at the path, or another file */
export async function checkThere(
  path: string,
  files: FileAdapter,
  file: WritableFile,
): Promise<void> {
  // Throws if nothing is at the path, which is asked next.
  const isAt = await file.isAt?.(path).catch(() => undefined);
  if (isAt === true) return;
  const kind = await files.kind(path).catch(() => "other");
  if (kind === undefined || isAt === false) throw new FileGone(path);
}

/**
 * Gives a written file its final name.
 *
 * @throws {FileExists} if another file has that name, and is not to be replaced
 */
export async function giveName(
  { path, written }: RrdTarget,
  { adapter, replace }: RrdWriterOptions,
): Promise<void> {
  if (!replace && await adapter.kind(path) !== undefined) throw new FileExists(path);
  await adapter.rename(written, path);
}

/** Adds to a failure what else could not be done because of it, and why. */
export function alsoFailed(failure: unknown, what: string, error: unknown): AggregateError {
  const text = `${reason(failure)}; ${what}: ${reason(error)}`;
  return new AggregateError([failure, error], text);
}
