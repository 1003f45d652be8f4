/**
 * Files on Bun.
 *
 * @module
 */
import { constants, type Stats } from "node:fs";
import {
  type FileHandle,
  lstat,
  mkdir,
  open as openPath,
  readdir,
  readlink,
  realpath,
  rename,
  rm,
  stat,
  statfs,
} from "node:fs/promises";
import process from "node:process";
import { FileExists } from "../../base/errors.ts";
import type { FileAdapter, FileKind, FileMode, WritableFile } from "./types.ts";
import { takeOverFrom } from "./take_over.ts";
import { folderError, pipeError } from "./_folder_error.ts";
import { followLinks } from "./_follow_links.ts";
import { identityText, isSame } from "./_is_same.ts";
import { parkedFile, type Reopening } from "./_parked_file.ts";
import { writeAll } from "./_write_all.ts";
import { writeFile } from "./_write_file.ts";
import type { ReadableFile } from "./types.ts";

/** Bytes that one read asks for. */
const READ_BYTES = 64 * 1024;

/**
 * All files that are open, so that none is garbage: when Bun collects a `FileHandle` that nobody
 * closed it throws where nobody can catch it (https://github.com/oven-sh/bun/pull/33693), so a
 * program that does not read a recording to its end would be ended for that. On Deno such a file
 * just stays open, and so it does here.
 */
const OPEN = new Set<FileHandle>();

/** Files by `node:fs/promises`. */
export const bunFiles: FileAdapter = {
  create,
  kind,
  takeOver: takeOverFrom,
  rename,
  remove: (path) => rm(path),
  list: (folder) => readdir(folder || "."),
  open,
  openAt,
  identity: async (path) => identityText(await stat(path || ".")),
  realPath: (path) =>
    followLinks(path, {
      isFile: async (path) => (await stat(path)).isFile(),
      readLink: readlink,
      realPath: realpath,
    }),
  freeBytes,
  makeFolder: async (folder) => void await mkdir(folder, { recursive: true }),
  syncFolder,
};

// --------------------------------------------------------------------------------------- paths

async function create(path: string, mode: FileMode): Promise<WritableFile> {
  try {
    const flags = { new: "wx", replace: "w", append: constants.O_WRONLY | constants.O_CREAT };
    return await openFile(await opened(path, flags[mode]), path, mode);
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
  const file = await opened(path, "r");
  if ((await statOf(file)).isDirectory()) {
    await close(file);
    throw folderError(path);
  }
  return new ReadableStream({
    async pull(controller) {
      try {
        const { bytesRead, buffer } = await file.read(new Uint8Array(READ_BYTES), 0, READ_BYTES);
        if (bytesRead > 0) return controller.enqueue(buffer.subarray(0, bytesRead));
      } catch (error) {
        await close(file);
        throw error;
      }
      await close(file);
      controller.close();
    },
    cancel: () => close(file),
  }, { highWaterMark: 0 });
}

async function freeBytes(folder: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(folder || ".");
    return bavail * bsize;
  } catch {
    return undefined; // a system that does not tell
  }
}

async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return; // which has no such thing
  const file = await opened(folder || ".", "r");
  try {
    await file.sync();
  } finally {
    await close(file);
  }
}

// ---------------------------------------------------------------------------------------- file

async function opened(path: string, flags: string | number): Promise<FileHandle> {
  const file = await openPath(path, flags);
  OPEN.add(file);
  return file;
}

async function close(file: FileHandle): Promise<void> {
  OPEN.delete(file);
  await file.close();
}

/** What the system says of an open file; closes the file if it does not say. */
async function statOf(file: FileHandle): Promise<Stats> {
  try {
    return await file.stat();
  } catch (error) {
    await close(file);
    throw error;
  }
}

async function openAt(path: string): Promise<ReadableFile> {
  const found = await stat(path);
  if (!found.isFile()) throw found.isDirectory() ? folderError(path) : pipeError(path);
  const file = await opened(path, "r");
  const { size, mtime } = await statOf(file);
  let isClosed = false;
  return {
    size,
    modifiedMs: mtime.getTime(),
    async readAt(at, into) {
      return (await file.read(into, 0, into.length, at)).bytesRead;
    },
    // Windows keeps a name of what is open.
    isRemoved: async () => process.platform !== "win32" && (await file.stat()).nlink === 0,
    async close() {
      if (isClosed) return;
      isClosed = true;
      await close(file);
    },
  };
}

async function openFile(file: FileHandle, path: string, mode: FileMode): Promise<WritableFile> {
  let closed = false;
  const found = await statOf(file);
  let position = mode === "append" ? found.size : 0;
  // A pipe has no positions: it is written to wherever it is.
  const at = found.isFile() ? () => position : () => null;
  return {
    write: (bytes) =>
      writeFile(path, bytes, async (rest) => {
        const { bytesWritten } = await file.write(rest, 0, rest.length, at());
        position += bytesWritten;
        return bytesWritten;
      }),
    async writeAt(at, bytes) {
      let place = at;
      await writeAll(bytes, async (rest) => {
        const { bytesWritten } = await file.write(rest, 0, rest.length, place);
        place += bytesWritten;
        return bytesWritten;
      });
    },
    sync: () => file.datasync(),
    async truncate(size) {
      await file.truncate(size);
      position = size;
    },
    // As long as this file is open, no other file gets its inode number.
    isAt: async (path) => isSame(found, await lstat(path)),
    async park() {
      const known = await file.stat();
      await closeOnce();
      return parkedFile(path, known, reopening);
    },
    close: closeOnce,
  };
  async function closeOnce(): Promise<void> {
    if (closed) return;
    closed = true;
    await close(file);
  }
}

const reopening: Reopening = {
  async look(path) {
    const found = await lstat(path);
    return { dev: found.dev, ino: found.ino, size: found.size, isFile: found.isFile() };
  },
  async open(path) {
    const file = await opened(path, constants.O_WRONLY);
    const known = await statOf(file);
    return { file: await openFile(file, path, "append"), known };
  },
};
