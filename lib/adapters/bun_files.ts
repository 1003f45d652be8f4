/**
 * Files on Bun.
 *
 * @module
 */
import { type FileHandle, lstat, open } from "node:fs/promises";
import { FileExists } from "../errors.ts";
import { writeAll } from "./_write_all.ts";
import type { FileAdapter, WritableFile } from "./types.ts";

/** Files by `node:fs/promises`. */
export const bunFiles: FileAdapter = { create, exists };

// --------------------------------------------------------------------------------------- paths

async function create(path: string, mode: "new" | "replace"): Promise<WritableFile> {
  try {
    return openFile(await open(path, mode === "new" ? "wx" : "w"));
  } catch (cause) {
    if (hasCode(cause, "EEXIST")) throw new FileExists(path, { cause });
    throw cause;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path); // a link to nowhere is in the way, too
    return true;
  } catch (error) {
    if (hasCode(error, "ENOENT")) return false;
    throw error;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

// ---------------------------------------------------------------------------------------- file

function openFile(file: FileHandle): WritableFile {
  let closed = false;
  let position = 0;
  return {
    write: (bytes) =>
      writeAll(bytes, async (rest) => {
        const { bytesWritten } = await file.write(rest, 0, rest.length, position);
        position += bytesWritten;
        return bytesWritten;
      }),
    sync: () => file.datasync(),
    async truncate(size) {
      await file.truncate(size);
      position = size;
    },
    async close() {
      if (closed) return;
      closed = true;
      await file.close();
    },
  };
}
