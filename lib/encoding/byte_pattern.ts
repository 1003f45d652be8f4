/**
 * A pattern of bytes in which some bits may have any value ("open" bits). Eight bytes are compared
 * at a time, which takes half as long as four.
 */
export class BytePattern {
  /** How many bytes must be there to be compared; this may be some more than the pattern has. */
  readonly span: number;
  /** Groups of eight bytes without open bits, and where they are. */
  readonly #doubles: Float64Array;
  readonly #doublesAt: Int32Array;
  /** Groups of four bytes, with their open bits set to 0. */
  readonly #words: Int32Array;
  readonly #masks: Int32Array;
  readonly #wordsAt: Int32Array;

  /**
   * @param bytes the bytes to compare with
   * @param masks for each byte, a mask of the bits that are not open
   */
  constructor(bytes: Uint8Array, masks: Uint8Array) {
    this.span = Math.ceil(bytes.length / 8) * 8;
    const closed = new Uint8Array(this.span);
    const mask = new Uint8Array(this.span);
    mask.set(masks.subarray(0, bytes.length));
    for (let i = 0; i < bytes.length; i++) closed[i] = bytes[i]! & masks[i]!;
    const values = new DataView(closed.buffer);
    const bits = new DataView(mask.buffer);
    const doubles: number[] = [];
    const doublesAt: number[] = [];
    const words: number[] = [];
    const wordsAt: number[] = [];
    const wordMasks: number[] = [];
    for (let at = 0; at < this.span; at += 8) {
      const double = values.getFloat64(at, true);
      const isClosed = bits.getInt32(at) === -1 && bits.getInt32(at + 4) === -1;
      // NaN is unequal to itself and 0 equals -0, so such eight bytes are compared as two words.
      if (isClosed && double === double && double !== 0) {
        doubles.push(double);
        doublesAt.push(at);
        continue;
      }
      for (let half = at; half < at + 8; half += 4) {
        if (bits.getInt32(half) === 0) continue;
        words.push(values.getInt32(half, true));
        wordsAt.push(half);
        wordMasks.push(bits.getInt32(half, true));
      }
    }
    this.#doublesAt = Int32Array.from(doublesAt);
    this.#doubles = Float64Array.from(doubles);
    this.#wordsAt = Int32Array.from(wordsAt);
    this.#words = Int32Array.from(words);
    this.#masks = Int32Array.from(wordMasks);
  }

  /**
   * Whether some bytes equal the pattern, except for open bits. `span` bytes must be there, or as
   * many as the pattern has if that is a multiple of 4.
   */
  matches(view: DataView, at: number): boolean {
    const doubles = this.#doubles;
    const doublesAt = this.#doublesAt;
    for (let i = 0; i < doubles.length; i++) {
      if (view.getFloat64(at + doublesAt[i]!, true) !== doubles[i]!) return false;
    }
    const words = this.#words;
    const masks = this.#masks;
    const wordsAt = this.#wordsAt;
    for (let i = 0; i < words.length; i++) {
      if ((view.getInt32(at + wordsAt[i]!, true) & masks[i]!) !== words[i]!) return false;
    }
    return true;
  }
}
