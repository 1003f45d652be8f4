/**
 * Bytes that came and were not read: a message that comes in many pieces is in memory only once.
 *
 * @module
 */
import { RRD_HEADER_BYTES } from "../rrd_header.ts";

/** Collects bytes until they are read. */
export class WaitingBytes {
  #memory: Uint8Array = new Uint8Array(0);
  /** How many there are. */
  length = 0;
  /** How many there are to be before they are read, as the input says; at first those of a header. */
  need: number = RRD_HEADER_BYTES;
  /** Whether the buffer has room behind the bytes. */
  #hasRoom = false;

  /** @param isSizeKnown whether all that is declared will come */
  constructor(readonly isSizeKnown: boolean) {}

  /** All of them. */
  get bytes(): Uint8Array {
    return this.#memory.subarray(0, this.length);
  }

  set bytes(bytes: Uint8Array) {
    this.#memory = bytes;
    this.length = bytes.length;
    this.#hasRoom = false;
  }

  /**
   * Where the next bytes may be read, to be added then: behind those that wait, so that a long message
   * which comes in many pieces is not copied.
   *
   * @param most how many may come at most, but one at least
   * @param usual how many are read where fewer are needed
   */
  room(most: number, usual: number): Uint8Array<ArrayBuffer> {
    const { length } = this;
    if (!this.#hasRoom || length === this.#memory.length) {
      this.#grow(length + Math.min(most, Math.max(this.need - length, usual)));
    }
    return this.#memory.subarray(length, length + most) as Uint8Array<ArrayBuffer>;
  }

  /** Adds bytes, which are kept: they must not be written to any more. */
  add(bytes: Uint8Array): void {
    const before = this.length;
    const isInPlace = this.#hasRoom && bytes.buffer === this.#memory.buffer;
    if (before === 0 && !isInPlace) {
      this.bytes = bytes;
      return;
    }
    this.length += bytes.length;
    if (isInPlace) return;
    if (!this.#hasRoom || this.length > this.#memory.length) {
      const room = this.isSizeKnown ? this.need : Math.min(this.need, 2 * before);
      this.#grow(Math.max(this.length, room), before);
    }
    this.#memory.set(bytes, before);
  }

  #grow(size: number, length = this.length): void {
    const grown = new Uint8Array(size);
    grown.set(this.#memory.subarray(0, length));
    this.#memory = grown;
    this.#hasRoom = true;
  }
}
