/**
 * The name of a file that is being written: gives it, and notices where a file is removed meanwhile, for
 * systems go on taking what nobody can read any more.
 *
 * @module
 */
import type { FileAdapter } from "../../../adapters/files/types.ts";
import { FileExists, FileGone, reason } from "../../../base/errors.ts";
import type { RrdTarget, RrdWriterOptions } from "./writer_options.ts";

/** @throws {FileGone} if it is for sure that nothing stands there */
export async function checkThere(path: string, files: FileAdapter): Promise<void> {
  const kind = await files.kind(path).catch(() => "other");
  if (kind === undefined) throw new FileGone(path);
}

/**
 * Gives a file its name.
 *
 * @param onNamed called when it has it, which may not be on the disk yet
 * @throws {FileExists} if another has it
 */
export async function giveName(
  { path, written }: RrdTarget,
  { adapter, replace, folder }: RrdWriterOptions,
  onNamed: () => void,
): Promise<void> {
  if (!replace && await adapter.kind(path) !== undefined) throw new FileExists(path);
  await adapter.rename(written, path);
  onNamed();
  await folder.sync();
}

/** A failure of which something else came that failed too: what could not be done, and why. */
export function alsoFailed(failure: unknown, what: string, error: unknown): AggregateError {
  const text = `${reason(failure)}; ${what}: ${reason(error)}`;
  return new AggregateError([failure, error], text);
}
