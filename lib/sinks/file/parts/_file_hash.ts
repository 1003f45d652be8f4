/**
 * The hash of all bytes of a file.
 *
 * @module
 */
import { Xxh32 } from "../../../encoding/rrd/xxh32.ts";

/** xxHash32 with seed 0, piece by piece. */
export class FileHash {
  #hash = new Xxh32(0);

  /** Takes the next bytes. */
  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  /** The name of the hash and the hash of all bytes so far, such as `xxh32:02cc5d05`. */
  get text(): string {
    return `xxh32:${this.#hash.value.toString(16).padStart(8, "0")}`;
  }

  /** What `text` would be if these bytes came next. */
  textWith(bytes: Uint8Array): string {
    const other = new FileHash();
    other.#hash = this.#hash.copy();
    other.update(bytes);
    return other.text;
  }
}
