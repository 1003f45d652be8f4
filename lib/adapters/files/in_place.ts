/**
 * What a file keeps when it is written anew.
 *
 * @module
 */
import type { FileReadAdapter, FileWriteAdapter, Unkept } from "./types.ts";

/**
 * Gives a new file, before anything is written into it, the owner and the rights of the file whose
 * place it is going to take: what only some may read must not be read by others meanwhile.
 *
 * @param files where both are
 * @param path of the new file
 * @param old path of the other, where there may be none
 * @returns what could not be kept
 */
export async function takeOverPlace(
  files: Pick<FileReadAdapter, "kind"> & Pick<FileWriteAdapter, "takeOver">,
  path: string,
  old: string,
): Promise<Unkept | undefined> {
  if (files.takeOver === undefined || await files.kind(old) !== "file") return undefined;
  return await files.takeOver(path, old);
}

/** Says what a file that was written anew could not keep. */
export function unkeptText(path: string, unkept: Unkept): string {
  if (unkept === "rights") return `${path}: its file system did not leave it its rights`;
  return `${path}: only root can leave it its ${unkept}`;
}
