/**
 * Files on Deno.
 *
 * @module
 */
import { FileExists } from "../errors.ts";
import { writeAll } from "./_write_all.ts";
import type { FileAdapter, FileKind, FileMode, WritableFile } from "./types.ts";

/** Files by `Deno.open`. */
export const denoFiles: FileAdapter = {
  create,
  kind,
  rename: (from, to) => Deno.rename(from, to),
  remove: (path) => Deno.remove(path),
  list,
  open: async (path) => (await Deno.open(path)).readable,
};

// --------------------------------------------------------------------------------------- paths

async function create(path: string, mode: FileMode): Promise<WritableFile> {
  try {
    return await openFile(
      await Deno.open(path, {
        write: true,
        ...(mode === "new" ? { createNew: true } : { create: true, truncate: mode === "replace" }),
      }),
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

// ---------------------------------------------------------------------------------------- file

async function openFile(file: Deno.FsFile, mode: FileMode): Promise<WritableFile> {
  // Not opened with `append`, for such a file ignores where it was cut to.
  if (mode === "append") await file.seek(0, Deno.SeekMode.End);
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
