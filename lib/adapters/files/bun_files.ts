/**
 * Files on Bun.
 *
 * @module
 */
import { constants } from "node:fs";
import { type FileHandle, lstat, open as openPath, readdir, rename, rm } from "node:fs/promises";
import { FileExists } from "../../base/errors.ts";
import { writeAll } from "./_write_all.ts";
import type { FileAdapter, FileKind, FileMode, WritableFile } from "./types.ts";

/** As much is read at once. */
const READ_BYTES = 64 * 1024;

/** Files by `node:fs/promises`. */
export const bunFiles: FileAdapter = {
  create,
  kind,
  rename,
  remove: (path) => rm(path),
  list: (folder) => readdir(folder || "."),
  open,
};

// --------------------------------------------------------------------------------------- paths

async function create(path: string, mode: FileMode): Promise<WritableFile> {
  try {
    const flags = { new: "wx", replace: "w", append: constants.O_WRONLY | constants.O_CREAT };
    return await openFile(await openPath(path, flags[mode]), mode);
  } catch (cause) {
    if (hasCode(cause, "EEXIST")) throw new FileExists(path, { cause });
    throw cause;
  }
}

async function kind(path: string): Promise<FileKind | undefined> {
  try {
    return (await lstat(path)).isFile() ? "file" : "other";
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

async function open(path: string): Promise<ReadableStream<Uint8Array>> {
  const file = await openPath(path);
  return new ReadableStream({
    async pull(controller) {
      try {
        const { bytesRead, buffer } = await file.read(new Uint8Array(READ_BYTES), 0, READ_BYTES);
        if (bytesRead > 0) return controller.enqueue(buffer.subarray(0, bytesRead));
      } catch (error) {
        await file.close();
        throw error;
      }
      await file.close();
      controller.close();
    },
    cancel: () => file.close(),
  }, { highWaterMark: 0 });
}

// ---------------------------------------------------------------------------------------- file

async function openFile(file: FileHandle, mode: FileMode): Promise<WritableFile> {
  let closed = false;
  const found = await file.stat();
  let position = mode === "append" ? found.size : 0;
  // Pipes have no positions.
  const at = found.isFile() ? () => position : () => null;
  return {
    write: (bytes) =>
      writeAll(bytes, async (rest) => {
        const { bytesWritten } = await file.write(rest, 0, rest.length, at());
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
