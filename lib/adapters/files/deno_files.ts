/**
 * Files on Deno.
 *
 * @module
 */
import { statfs } from "node:fs/promises";
import { FileExists } from "../../base/errors.ts";
import type { FileAdapter, FileKind, FileMode, WritableFile } from "./types.ts";
import { takeOverFrom } from "./take_over.ts";
import { folderError, pipeError } from "./_folder_error.ts";
import { followLinks } from "./_follow_links.ts";
import { type FileIdentity, identityText, isSame } from "./_is_same.ts";
import { parkedFile, type Reopening } from "./_parked_file.ts";
import { writeAll } from "./_write_all.ts";
import { writeFile } from "./_write_file.ts";
import type { ReadableFile } from "./types.ts";

/** Files by `Deno.open`. */
export const denoFiles: FileAdapter = {
  create,
  kind,
  takeOver: takeOverFrom,
  rename: (from, to) => Deno.rename(from, to),
  remove: (path) => Deno.remove(path),
  list,
  open,
  openAt,
  identity: async (path) => identityText(await Deno.stat(path || ".")),
  realPath: (path) =>
    followLinks(path, {
      isFile: async (path) => (await Deno.stat(path)).isFile,
      readLink: (path) => Deno.readLink(path),
      realPath: (path) => Deno.realPath(path),
    }),
  freeBytes,
  makeFolder: (folder) => Deno.mkdir(folder, { recursive: true }),
  syncFolder,
};

// --------------------------------------------------------------------------------------- paths

async function create(path: string, mode: FileMode): Promise<WritableFile> {
  try {
    return await openFile(
      await Deno.open(path, {
        write: true,
        ...(mode === "new" ? { createNew: true } : { create: true, truncate: mode === "replace" }),
      }),
      path,
      mode,
    );
  } catch (cause) {
    if (cause instanceof Deno.errors.AlreadyExists) throw new FileExists(path, { cause });
    throw cause;
  }
}

async function kind(path: string): Promise<FileKind | undefined> {
  try {
    return (await Deno.lstat(path)).isFile ? "file" : "other";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function list(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder || ".")) names.push(name);
  return names;
}

async function freeBytes(folder: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(folder || ".");
    return bavail * bsize;
  } catch {
    return undefined; // a system, or permissions, that don't tell
  }
}

async function syncFolder(folder: string): Promise<void> {
  if (Deno.build.os === "windows") return; // which has no such thing
  const file = await Deno.open(folder || ".");
  try {
    await file.sync();
  } finally {
    file.close();
  }
}

// ---------------------------------------------------------------------------------------- file

async function open(path: string): Promise<ReadableStream<Uint8Array>> {
  const file = await Deno.open(path);
  const { isDirectory } = await statOf(file);
  if (!isDirectory) return file.readable;
  file.close();
  throw folderError(path);
}

/** What the system says of an open file; closes the file if it does not say. */
async function statOf(file: Deno.FsFile): Promise<Deno.FileInfo> {
  try {
    return await file.stat();
  } catch (error) {
    file.close();
    throw error;
  }
}

async function openAt(path: string): Promise<ReadableFile> {
  const found = await Deno.stat(path);
  if (!found.isFile) throw found.isDirectory ? folderError(path) : pipeError(path);
  const file = await Deno.open(path);
  const { size, mtime } = await statOf(file);
  let isClosed = false;
  return {
    size,
    ...(mtime === null ? {} : { modifiedMs: mtime.getTime() }),
    async readAt(at, into) {
      await file.seek(at, Deno.SeekMode.Start);
      return await file.read(into) ?? 0;
    },
    isRemoved: async () => (await file.stat()).nlink === 0,
    close() {
      if (!isClosed) file.close();
      isClosed = true;
      return Promise.resolve();
    },
  };
}

/**
 * A file into which so many bytes are written between two syncs gets a second descriptor, to sync
 * by.
 */
const MANY_BYTES = 4 * 1024 * 1024;

async function openFile(file: Deno.FsFile, path: string, mode: FileMode): Promise<WritableFile> {
  // Not opened with `append`: Linux puts all that is written to such a file at its end, also what
  // `writeAt` writes.
  if (mode === "append") await seekEnd(file);
  let closed = false;
  let unsynced = 0;
  let identity: FileIdentity | undefined;
  let synced: Promise<Deno.FsFile> | undefined;
  return {
    write(bytes) {
      unsynced += bytes.length;
      return writeFile(path, bytes, (rest) => file.write(rest));
    },
    async writeAt(at, bytes) {
      await file.seek(at, Deno.SeekMode.Start);
      try {
        await writeAll(bytes, (rest) => file.write(rest));
      } finally {
        await file.seek(0, Deno.SeekMode.End);
      }
    },
    async sync() {
      if (synced === undefined && unsynced >= MANY_BYTES) synced = openAgain(file, path);
      unsynced = 0;
      await (await synced ?? file).syncData();
    },
    async truncate(size) {
      await file.truncate(size);
      await file.seek(size, Deno.SeekMode.Start);
    },
    async isAt(path) {
      // As long as this file is open, no other file gets its inode number.
      identity ??= await file.stat();
      return isSame(identity, await Deno.lstat(path));
    },
    async park() {
      const known = await file.stat();
      await close();
      return parkedFile(path, known, reopening);
    },
    close,
  };
  async function close(): Promise<void> {
    if (closed) return;
    closed = true;
    const other = await synced;
    if (other !== file) other?.close();
    file.close();
  }
}

const reopening: Reopening = {
  look: (path) => Deno.lstat(path),
  async open(path) {
    const file = await Deno.open(path, { write: true });
    return { file: await openFile(file, path, "append"), known: await file.stat() };
  },
};

/** Goes to the end of a file; closes the file if that fails, as in a pipe. */
async function seekEnd(file: Deno.FsFile): Promise<void> {
  try {
    await file.seek(0, Deno.SeekMode.End);
  } catch (error) {
    file.close();
    throw error;
  }
}

/**
 * A second descriptor of a file, to sync by; the first one if there can be no second. Deno keeps a
 * write waiting while a sync of the same descriptor runs: after 500 MB, `const s = f.syncData();
 * await f.write(byte); await s` takes as long for the write as for the sync, and a few milliseconds
 * if `s` is of another descriptor.
 */
async function openAgain(file: Deno.FsFile, path: string): Promise<Deno.FsFile> {
  let other: Deno.FsFile | undefined;
  try {
    other = await Deno.open(path, { write: true });
    const [mine, found] = await Promise.all([file.stat(), other.stat()]);
    if (mine.ino !== null && isSame(mine, found)) return other;
  } catch {
    // The file was renamed meanwhile, or the process has no descriptor left.
  }
  other?.close();
  return file;
}
