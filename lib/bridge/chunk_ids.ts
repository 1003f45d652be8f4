import { Tuid } from "../encoding/tuid.ts";

/** Length of an id as text, in bytes: four words of eight hex digits. */
const DIGITS = 32;
const WORDS = 4;

/** Marks a byte that is not a digit. */
const NO_DIGIT = 16;
/** The digit that each byte stands for. */
const VALUES = Uint8Array.from({ length: 256 }, (_, byte) => {
  const digit = "0123456789abcdef".indexOf(String.fromCharCode(byte).toLowerCase());
  return digit < 0 ? NO_DIGIT : digit;
});

/** Reads the ids of chunks as schemas have them: 32 hex digits. */
export class ChunkIds {
  /** A view through which numbers of 64 bits are split into words and put together. */
  readonly #view = new DataView(new ArrayBuffer(4 * WORDS));

  /**
   * Reads an id.
   *
   * @param bytes where its text is
   * @param start of the text
   * @param end of the text
   * @param expected an id that it mostly equals: then this object is returned, since making 64-bit
   * numbers takes longer than all the rest
   * @returns `undefined` if the text is not an id
   */
  read(
    bytes: Uint8Array,
    start: number,
    end: number,
    expected: Tuid | undefined,
  ): Tuid | undefined {
    if (end - start !== DIGITS || end > bytes.length) return undefined;
    // Invalid digits are looked for once at the end: the digits differ from message to message, so
    // processors would mispredict a branch for each.
    let [a, b, c, d, all] = [0, 0, 0, 0, 0];
    for (let at = start; at < start + 8; at++) {
      const v = VALUES[bytes[at]!]!;
      const w = VALUES[bytes[at + 8]!]!;
      const x = VALUES[bytes[at + 16]!]!;
      const y = VALUES[bytes[at + 24]!]!;
      a = a << 4 | v;
      b = b << 4 | w;
      c = c << 4 | x;
      d = d << 4 | y;
      all |= v | w | x | y;
    }
    if (all >= NO_DIGIT) return undefined;
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
