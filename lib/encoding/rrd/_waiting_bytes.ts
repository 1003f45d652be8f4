/**
 * Bytes that came and were not read: a message that comes in many pieces is in memory only once.
 *
 * @module
 */

/** Collects bytes until they are read. */
export class WaitingBytes {
  #memory: Uint8Array = new Uint8Array(0);
  /** How many there are. */
  length = 0;
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
   * Adds bytes, which are kept: they must not be written to any more.
   *
   * @param bytes come behind those that wait
   * @param declared how many there are to be, as the input says
   */
  add(bytes: Uint8Array, declared: number): void {
    const before = this.length;
    if (before === 0) {
      this.bytes = bytes;
      return;
    }
    this.length += bytes.length;
    if (!this.#hasRoom || this.length > this.#memory.length) {
      const room = this.isSizeKnown ? declared : Math.min(declared, 2 * before);
      const grown = new Uint8Array(Math.max(this.length, room));
      grown.set(this.#memory.subarray(0, before));
      this.#memory = grown;
      this.#hasRoom = true;
    }
    this.#memory.set(bytes, before);
  }
}
