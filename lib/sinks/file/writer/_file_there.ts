/**
 * Notices a file that is removed while it is being written: systems go on taking what nobody can
 * read any more.
 *
 * @module
 */
import type { FileAdapter } from "../../../adapters/files/types.ts";
import { FileGone } from "../../../base/errors.ts";

/** @throws {FileGone} if it is for sure that nothing stands there */
export async function checkThere(path: string, files: FileAdapter): Promise<void> {
  const kind = await files.kind(path).catch(() => "other");
  if (kind === undefined) throw new FileGone(path);
}
