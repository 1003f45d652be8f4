/**
 * Compares files with the hashes that indexes noted when they were closed.
 *
 * @module
 */
import type { FileReadAdapter } from "../../../adapters/files/types.ts";
import { FileHash } from "./_file_hash.ts";
import { type FileLine, notedFiles } from "./noted_files.ts";
import { plural } from "../../../base/plural.ts";

/** Bytes of an end marker, and of the end header that a footer has in its place. */
const MARKER_BYTES = 16;

/**
 * Compares a file with the hash that was noted when it was closed; a footer may have been added or
 * renewed since: in the place of the end marker, or behind the last message of a file that had none.
 */
export class ClosedHash {
  readonly #hash = new FileHash();
  readonly #line: FileLine;
  readonly #plainBytes: number;
  /** The bytes where a file without a footer has its end marker. */
  readonly #end = new Uint8Array(MARKER_BYTES);
  /** What stands behind what was noted. */
  readonly #behind = new Uint8Array(MARKER_BYTES);
  #bytes = 0;

  /** @param line of the file in the index; it has a hash */
  constructor(line: FileLine) {
    this.#line = line;
    this.#plainBytes = line.plain ?? line.bytes;
  }

  /** Takes the next bytes of the file. */
  add(bytes: Uint8Array): void {
    const endAt = this.#plainBytes - MARKER_BYTES;
    this.#hash.update(bytes.subarray(0, Math.max(0, endAt - this.#bytes)));
    for (let at = Math.max(0, endAt - this.#bytes); at < bytes.length; at++) {
      const place = this.#bytes + at - endAt;
      if (place >= 2 * MARKER_BYTES) break;
      if (place < MARKER_BYTES) this.#end[place] = bytes[at]!;
      else this.#behind[place - MARKER_BYTES] = bytes[at]!;
    }
    this.#bytes += bytes.length;
  }

  /** What differs; `undefined` if nothing does. */
  finish(): string | undefined {
    const { bytes, hash } = this.#line;
    const plainBytes = this.#plainBytes;
    const more = this.#bytes - plainBytes;
    // Both may seem to be so: data may end as an end header does.
    const inPlace = more > 0 && isEndHeader(this.#end);
    // Recovery leaves a file without an end marker as it is.
    const isAdded = more >= MARKER_BYTES &&
      (isEndHeader(this.#behind) || more === MARKER_BYTES && isZero(this.#behind));
    if (more !== 0 && !inPlace && !isAdded) {
      return `it has ${plural(this.#bytes, "byte")}, and had ${bytes}`;
    }
    const hashes = [
      ...(more === 0 || isAdded ? [this.#hash.textWith(this.#endBytes())] : []),
      ...(inPlace ? [this.#hash.textWith(new Uint8Array(MARKER_BYTES))] : []),
    ];
    if (hashes.includes(hash!)) return undefined;
    return `its hash is ${hashes.join(" or ")}, and was ${hash}`;
  }

  /** The bytes in the place of the end marker, as far as a shorter file has them. */
  #endBytes(): Uint8Array {
    return this.#end.subarray(Math.max(0, MARKER_BYTES - this.#plainBytes));
  }
}

/** Whether it is the header before a footer, which has the kind 0, too, but its length is not 0. */
function isEndHeader(bytes: Uint8Array): boolean {
  return isZero(bytes.subarray(0, 8)) && !isZero(bytes);
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

/** Looks up files in the indexes beside them. */
export class ClosedHashes {
  readonly #adapter: FileReadAdapter;
  /** What was noted in the folder that was looked into last. */
  #read:
    | { readonly folder: string; readonly lines: Promise<ReadonlyMap<string, FileLine>> }
    | undefined;

  /** @param adapter reads the indexes */
  constructor(adapter: FileReadAdapter) {
    this.#adapter = adapter;
  }

  /**
   * Makes the comparison of a file.
   *
   * @param path of the file
   * @returns `undefined` if no hash was noted, or no index can be read
   */
  async of(path: string): Promise<ClosedHash | undefined> {
    const [, folder = "", name = ""] = /^(.*[/\\])?([^/\\]*)$/s.exec(path) ?? [];
    if (this.#read?.folder !== folder) {
      this.#read = { folder, lines: notedFiles(folder, this.#adapter) };
    }
    const line = (await this.#read.lines).get(name);
    return line?.hash === undefined ? undefined : new ClosedHash(line);
  }
}
