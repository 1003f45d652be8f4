/**
 * Files that are closed for a while, and known again when they are opened.
 *
 * @module
 */
import { FileGone } from "../../base/errors.ts";
import { type FileIdentity, isSame } from "./_is_same.ts";
import type { ParkedFile, WritableFile } from "./types.ts";

/** What a file is known by: while it is closed, another one may get its number. */
export interface Known extends FileIdentity {
  /** Length in bytes. */
  readonly size: number;
}

/** How a runtime looks at files and opens them. */
export interface Reopening {
  /** What is at a path, and whether that is a file, which can be opened without waiting. */
  look(path: string): Promise<Known & { readonly isFile: boolean }>;
  /** Opens what is at a path, which must be there. */
  open(path: string): Promise<{ readonly file: WritableFile; readonly known: Known }>;
}

/**
 * A file that was closed and can be opened again.
 *
 * @param path of the file
 * @param before what it was when it was closed
 * @param runtime looks and opens
 */
export function parkedFile(path: string, before: Known, runtime: Reopening): ParkedFile {
  const isIt = (known: Known) => isSame(before, known) && before.size === known.size;
  const isAt = async (path: string) => {
    const found = await runtime.look(path);
    return found.isFile && isIt(found);
  };
  return {
    isAt,
    async open() {
      // Nothing there: told by `isAt` as by the runtime. A pipe must not be opened: that waits.
      if (!await isAt(path).catch(() => false)) throw new FileGone(path);
      const { file, known } = await runtime.open(path);
      if (isIt(known)) return file;
      await file.close();
      throw new FileGone(path);
    },
  };
}
