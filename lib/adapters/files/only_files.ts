/**
 * Files that we keep beside recordings, where somebody may have put something else.
 *
 * @module
 */
import { RerelayError } from "../../base/errors.ts";
import type { FileReadAdapter, FileWriteAdapter, WritableFile } from "./types.ts";

/** A folder, a pipe or the like has the name of a file that is needed. */
export class NotAFile extends RerelayError {
  /**
   * Names what is in the way.
   *
   * @param path of it
   */
  constructor(readonly path: string) {
    super(`${path} is no file, but a folder, a pipe or the like: move it away or rename it`);
  }
}

/**
 * Whether there is a file to read, itself or where a link leads. To be asked before one is opened:
 * to open a pipe waits for its other end, for ever if nobody has it.
 *
 * @param files where to look
 * @param path of the file
 * @throws {NotAFile} if something else has its name
 */
export async function isFileThere(
  files: Pick<FileReadAdapter, "kind" | "realPath">,
  path: string,
): Promise<boolean> {
  let kind = await files.kind(path);
  if (kind === "other") kind = await files.kind(await files.realPath(path));
  if (kind === "other") throw new NotAFile(path);
  return kind === "file";
}

/**
 * Makes a file anew, over one that an earlier run may have left; where a link leads is not touched.
 *
 * @param files where to make it
 * @param path of the file
 * @param reads looks what is there
 * @throws {NotAFile} if something else has its name
 */
export async function createAnew(
  files: Pick<FileWriteAdapter, "create">,
  path: string,
  reads: Pick<FileReadAdapter, "kind">,
): Promise<WritableFile> {
  if (await reads.kind(path) === "other") throw new NotAFile(path);
  return await files.create(path, "replace");
}
