/**
 * Files on Deno.
 *
 * @module
 */
import { FileExists } from "../errors.ts";
import { writeAll } from "./_write_all.ts";
import type { FileAdapter, WritableFile } from "./types.ts";

/** Files by `Deno.open`. */
export const denoFiles: FileAdapter = { create, exists };

// --------------------------------------------------------------------------------------- paths

async function create(path: string, mode: "new" | "replace"): Promise<WritableFile> {
  try {
    return openFile(
      await Deno.open(path, {
        write: true,
        ...(mode === "new" ? { createNew: true } : { create: true, truncate: true }),
      }),
    );
  } catch (cause) {
    if (cause instanceof Deno.errors.AlreadyExists) throw new FileExists(path, { cause });
    throw cause;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path); // a link to nowhere is in the way, too
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

// ---------------------------------------------------------------------------------------- file

function openFile(file: Deno.FsFile): WritableFile {
  let closed = false;
  return {
    write: (bytes) => writeAll(bytes, (rest) => file.write(rest)),
    sync: () => file.syncData(),
    async truncate(size) {
      await file.truncate(size);
      await file.seek(size, Deno.SeekMode.Start);
    },
    close() {
      if (!closed) file.close();
      closed = true;
      return Promise.resolve();
    },
  };
}
