import { Tuid } from "../encoding/tuid.ts";

/** Length of an id as text, in bytes: four words of eight hex digits. */
const DIGITS = 32;
const WORDS = 4;

/** Reads the ids of chunks as schemas have them: 32 hex digits. */
export class ChunkIds {
  /** Four words, through which numbers of 64 bits are taken apart and put together. */
  readonly #view = new DataView(new ArrayBuffer(4 * WORDS));

  /**
   * Reads an id.
   *
   * @param bytes where its text is
   * @param start of the text
   * @param end of the text
   * @param expected mostly the same id: then it is given itself, for making numbers of 64 bits takes
   * longer than all the rest
   * @returns `undefined` if there is another text than an id
   */
  read(
    bytes: Uint8Array,
    start: number,
    end: number,
    expected: Tuid | undefined,
  ): Tuid | undefined {
    if (end - start !== DIGITS || end > bytes.length) return undefined;
    const a = word(bytes, start);
    const b = word(bytes, start + 8);
    const c = word(bytes, start + 16);
    const d = word(bytes, start + 24);
    if (Number.isNaN(a + b + c + d)) return undefined;
    const view = this.#view;
    if (expected !== undefined) {
      view.setBigUint64(0, expected.timeNs);
      view.setBigUint64(8, expected.inc);
      const isSame = view.getInt32(0) === a && view.getInt32(4) === b &&
        view.getInt32(8) === c && view.getInt32(12) === d;
      if (isSame) return expected;
    }
    view.setInt32(0, a);
    view.setInt32(4, b);
    view.setInt32(8, c);
    view.setInt32(12, d);
    return new Tuid(view.getBigUint64(0), view.getBigUint64(8));
  }
}

/** Eight hex digits as 32 bits; NaN if one of them is none. */
function word(bytes: Uint8Array, at: number): number {
  let word = 0;
  for (let i = at; i < at + 8; i++) {
    const byte = bytes[i]!;
    // Upper case and lower case differ in one bit.
    const letter = (byte | 0x20) - 0x61;
    if (letter >= 0 && letter < 6) word = word << 4 | letter + 10;
    else if (byte >= 0x30 && byte < 0x3a) word = word << 4 | byte - 0x30;
    else return NaN;
  }
  return word;
}
