/**
 * Keeps short texts that come again and again: keys, names of timelines, recording ids.
 *
 * A flood of small messages is decoded up to three times as fast if each such text is made only
 * once. A table has a fixed size and belongs to one peer, which can make it useless only for
 * itself.
 *
 * @module
 */

/** The longest text that is kept, in bytes: a UUID fits. */
export const MAX_INTERNED_BYTES = 64;

const SLOTS = 256;

/** Short texts of one peer. */
export class Interned {
  /** Made with the first text, since most of many clients never send one. */
  #table: (string | undefined)[] | undefined;

  /**
   * The text of some short bytes, if they are ASCII.
   *
   * @param bytes where they are
   * @param start where they begin
   * @param end where they end, at most {@linkcode MAX_INTERNED_BYTES} later
   * @returns nothing if one of the bytes is not ASCII
   */
  ascii(bytes: Uint8Array, start: number, end: number): string | undefined {
    const length = end - start;
    let hash = length;
    let all = 0;
    for (let i = start; i < end; i++) {
      const byte = bytes[i]!;
      all |= byte;
      hash = (Math.imul(hash, 31) + byte) | 0;
    }
    if (all > 0x7f) return undefined;
    const table = this.#table ??= new Array(SLOTS).fill(undefined);
    const slot = (hash ^ (hash >>> 16)) & (SLOTS - 1);
    const known = table[slot];
    if (known !== undefined && known.length === length) {
      let i = 0;
      while (i < length && known.charCodeAt(i) === bytes[start + i]) i++;
      if (i === length) return known;
    }
    return table[slot] = String.fromCharCode(...bytes.subarray(start, end));
  }
}
