/**
 * Bytes of which some bits are open, compared with others that lie where words of four bytes do: a
 * third faster than a `BytePattern` where long parts are closed.
 */
export class WordPattern {
  readonly #words: Int32Array;
  /** Where words without an open bit begin and end, one pair after the other. */
  readonly #closed: Int32Array;
  /** Words that have open bits and others, and which are not open. */
  readonly #open: Int32Array;
  readonly #masks: Int32Array;

  /**
   * @param bytes what is compared with, as many as words hold
   * @param masks of each byte the bits that are not open
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
   * Whether these are the same but for open bits.
   *
   * @param others more words may stand after them
   * @param from which of them on
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
