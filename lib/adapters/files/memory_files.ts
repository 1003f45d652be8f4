/**
 * Files in memory, for tests of what a sink does when the disk fails.
 *
 * @module
 */
import { checkGiven } from "../../base/check_arguments.ts";
import { FileExists, FileGone } from "../../base/errors.ts";
import { writeFile } from "./_write_file.ts";
import type { FileAdapter, WritableFile } from "./types.ts";

/** One operation on a file, about to be done. */
export interface FileOperation {
  /** Which method of the adapter, or of the file, was called. */
  readonly kind: keyof FileAdapter | keyof WritableFile | "readAt";
  /** Path of the file or folder that it is about. */
  readonly path: string;
  /** The bytes that `write` is about to write; after a part was written, the rest of them. */
  readonly bytes?: Uint8Array;
}

/**
 * Called before each operation: may wait, may throw in its place, and from a `write` may return how
 * many bytes the disk takes this time.
 */
export type FileHook = (operation: FileOperation) => void | number | Promise<void | number>;

/** Files in memory. */
export interface MemoryFiles extends FileAdapter {
  /** Paths of all files. */
  readonly paths: string[];
  /** What a file holds; `undefined` if there is no such file. */
  read(path: string): Uint8Array | undefined;
  /** What a file held at its last `sync`: no more would be sure to outlive a power cut. */
  readSynced(path: string): Uint8Array | undefined;
}

/** What a file holds: the first `size` of these bytes. */
interface Content {
  bytes: Uint8Array<ArrayBuffer>;
  size: number;
  synced: Uint8Array;
}

/**
 * A file adapter that keeps everything in memory.
 *
 * @param before the hook that makes operations fail
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { memoryFiles } from "@rerelay/server/adapters";
 *
 * const files = memoryFiles();
 * const file = await files.create("a.rrd", "new");
 * await file.write(Uint8Array.of(1, 2));
 * assertEquals(files.read("a.rrd"), Uint8Array.of(1, 2));
 * ```
 */
export function memoryFiles(before: FileHook = () => {}): MemoryFiles {
  checkGiven("memoryFiles", "a function as its hook", typeof before === "function", before);
  const contents = new Map<string, Content>();
  return {
    async create(path, mode) {
      await before({ kind: "create", path });
      const there = contents.get(path);
      if (mode === "new" && there !== undefined) {
        throw new FileExists(path, { cause: new Error("File exists") });
      }
      if (mode === "append" && there !== undefined) {
        return openContent(path, there, contents, before);
      }
      const content = { bytes: new Uint8Array(0), size: 0, synced: new Uint8Array(0) };
      contents.set(path, content);
      return openContent(path, content, contents, before);
    },
    async kind(path) {
      await before({ kind: "kind", path });
      return contents.has(path) ? "file" : undefined;
    },
    async rename(from, to) {
      await before({ kind: "rename", path: from });
      contents.set(to, found(contents, from));
      contents.delete(from);
    },
    async remove(path) {
      await before({ kind: "remove", path });
      found(contents, path);
      contents.delete(path);
    },
    async list(folder) {
      await before({ kind: "list", path: folder });
      const prefix = folder === "" || folder.endsWith("/") ? folder : `${folder}/`;
      return [...contents.keys()].filter((path) => path.startsWith(prefix))
        .map((path) => path.slice(prefix.length)).filter((name) => !name.includes("/"));
    },
    async open(path) {
      await before({ kind: "open", path });
      const { bytes, size } = found(contents, path);
      return new Blob([bytes.slice(0, size)]).stream();
    },
    async openAt(path) {
      await before({ kind: "openAt", path });
      const content = found(contents, path);
      return {
        size: content.size,
        async readAt(at, into) {
          await before({ kind: "readAt", path });
          const part = content.bytes.subarray(at, Math.min(content.size, at + into.length));
          into.set(part);
          return part.length;
        },
        close: () => Promise.resolve(),
      };
    },
    async realPath(path) {
      await before({ kind: "realPath", path });
      return path;
    },
    async freeBytes(folder) {
      await before({ kind: "freeBytes", path: folder });
      return undefined;
    },
    async makeFolder(folder) {
      await before({ kind: "makeFolder", path: folder });
    },
    async syncFolder(folder) {
      await before({ kind: "syncFolder", path: folder });
    },
    get paths() {
      return [...contents.keys()];
    },
    read: (path) => contents.get(path)?.bytes.slice(0, contents.get(path)?.size),
    readSynced: (path) => contents.get(path)?.synced.slice(),
  };
}

function found(contents: Map<string, Content>, path: string): Content {
  const content = contents.get(path);
  if (content === undefined) throw new Error(`No such file: ${path}`);
  return content;
}

/** Opens a file for writing. */
function openContent(
  path: string,
  content: Content,
  contents: ReadonlyMap<string, Content>,
  before: FileHook,
): WritableFile {
  return {
    write: (bytes) =>
      writeFile(path, bytes, async (rest) => {
        const taken = await before({ kind: "write", path, bytes: rest });
        const part = rest.subarray(0, taken ?? rest.length);
        grow(content, content.size + part.length);
        content.bytes.set(part, content.size);
        content.size += part.length;
        return part.length;
      }),
    async writeAt(at, bytes) {
      await before({ kind: "writeAt", path, bytes });
      grow(content, at + bytes.length);
      content.bytes.set(bytes, at);
      content.size = Math.max(content.size, at + bytes.length);
    },
    async sync() {
      await before({ kind: "sync", path });
      content.synced = content.bytes.slice(0, content.size);
    },
    async truncate(size) {
      await before({ kind: "truncate", path });
      grow(content, size);
      content.bytes.fill(0, size);
      content.size = size;
    },
    isAt: (path) => Promise.resolve(contents.get(path) === content),
    async park() {
      await before({ kind: "park", path });
      const { size } = content;
      const isAt = (path: string) =>
        Promise.resolve(contents.get(path) === content && content.size === size);
      return {
        isAt,
        async open() {
          if (!await isAt(path)) throw new FileGone(path);
          await before({ kind: "create", path });
          return openContent(path, content, contents, before);
        },
      };
    },
    async close() {
      await before({ kind: "close", path });
    },
  };
}

function grow(content: Content, size: number): void {
  if (size <= content.bytes.length) return;
  const grown = new Uint8Array(Math.max(size, content.bytes.length * 2));
  grown.set(content.bytes);
  content.bytes = grown;
}
