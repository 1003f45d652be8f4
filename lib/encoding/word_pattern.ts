/**
 * A pattern of bytes in which some bits may have any value, compared with bytes that are aligned to
 * words of four: a third faster than a `BytePattern` if long parts have no open bits.
 */
export class WordPattern {
  readonly #words: Int32Array;
  /** Where runs of words without open bits begin and end, in pairs. */
  readonly #closed: Int32Array;
  /** Indices of words with some open bits, each followed by a mask of its other bits. */
  readonly #open: Int32Array;
  readonly #masks: Int32Array;

  /**
   * @param bytes the bytes to compare with, a multiple of 4
   * @param masks for each byte, a mask of the bits that are not open
   */
  constructor(bytes: Uint8Array, masks: Uint8Array) {
    const count = bytes.length / 4;
    this.#words = new Int32Array(count);
    new Uint8Array(this.#words.buffer).set(bytes);
    const all = new Int32Array(count);
    new Uint8Array(all.buffer).set(masks);
    const closed: number[] = [];
    const open: number[] = [];
    for (const [at, mask] of all.entries()) {
      this.#words[at]! &= mask;
      if (mask !== -1) {
        if (mask !== 0) open.push(at);
      } else if (closed.at(-1) === at) closed[closed.length - 1] = at + 1;
      else closed.push(at, at + 1);
    }
    this.#closed = Int32Array.from(closed);
    this.#open = Int32Array.from(open);
    this.#masks = this.#open.map((at) => all[at]!);
  }

  /**
   * Whether some words equal the pattern, except for open bits.
   *
   * @param others the words; more may follow them
   * @param from index of the first word
   */
  matches(others: Int32Array, from: number): boolean {
    const words = this.#words;
    const closed = this.#closed;
    for (let run = 0; run < closed.length; run += 2) {
      const end = closed[run + 1]!;
      let at = closed[run]!;
      for (; at + 4 <= end; at += 4) {
        const to = from + at;
        const differing = (others[to]! ^ words[at]!) | (others[to + 1]! ^ words[at + 1]!) |
          (others[to + 2]! ^ words[at + 2]!) | (others[to + 3]! ^ words[at + 3]!);
        if (differing !== 0) return false;
      }
      for (; at < end; at++) if (others[from + at] !== words[at]) return false;
    }
    const open = this.#open;
    const masks = this.#masks;
    for (let i = 0; i < open.length; i++) {
      const at = open[i]!;
      if ((others[from + at]! & masks[i]!) !== words[at]!) return false;
    }
    return true;
  }
}
