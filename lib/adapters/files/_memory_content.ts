/**
 * What a file in memory holds.
 *
 * @module
 */
import { writeAll } from "./_write_all.ts";
import type { FileHook } from "./memory_files.ts";
import type { WritableFile } from "./types.ts";

/** The bytes, of which `size` are the file's. */
export interface Content {
  bytes: Uint8Array<ArrayBuffer>;
  size: number;
  synced: Uint8Array;
}

/** Opens one for writing. */
export function openContent(path: string, content: Content, before: FileHook): WritableFile {
  return {
    write: (bytes) =>
      writeAll(bytes, async (rest) => {
        const taken = await before({ kind: "write", path, bytes: rest });
        const part = rest.subarray(0, taken ?? rest.length);
        grow(content, content.size + part.length);
        content.bytes.set(part, content.size);
        content.size += part.length;
        return part.length;
      }),
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
