import { HpackError } from "./_hpack_error.ts";
import { latin1 } from "./_latin1.ts";

/**
 * The lengths of the codes of the symbols 0 to 256, in base 32. The code of RFC 7541, appendix B, is
 * canonical, so its lengths say it all.
 */
const LENGTHS =
  "dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6cad67777777777777777777777" +
  "878djde6f56565666577666567655677777fbedskmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnn" +
  "llmlnmnnkmmmnmmnqqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrqu";

/** The symbol that may not be sent. */
const END = 256;

/** A tree in pairs: `TREE[2 * node + bit]` is the next node, or −1 − symbol. */
const TREE: Int16Array = plant();

function plant(): Int16Array {
  const tree: number[] = [0, 0];
  const symbols = [...LENGTHS].map((digit, symbol) => ({ length: parseInt(digit, 32), symbol }));
  symbols.sort((a, b) => a.length - b.length || a.symbol - b.symbol);
  let code = 0;
  let before = symbols[0]!.length;
  for (const { length, symbol } of symbols) {
    code *= 2 ** (length - before);
    before = length;
    let node = 0;
    for (let bit = length - 1; bit > 0; bit--) {
      const at = 2 * node + (code >> bit & 1);
      if (tree[at] === 0) {
        tree[at] = tree.length / 2;
        tree.push(0, 0);
      }
      node = tree[at]!;
    }
    tree[2 * node + (code & 1)] = -1 - symbol;
    code++;
  }
  return Int16Array.from(tree);
}

/** The shortest code, in bits. */
const LEAST_BITS = 5;

/**
 * Decodes a string of HPACK's Huffman code; each byte gives one character of U+0000 to U+00FF.
 *
 * @param bytes of which it is a part
 * @param from where it begins
 * @param to where it ends
 * @throws {HpackError} if it has the symbol of the end, or padding other than up to 7 ones
 */
export function decodeHuffman(bytes: Uint8Array, from: number, to: number): string {
  const decoded = new Uint8Array(Math.floor((to - from) * 8 / LEAST_BITS));
  let length = 0;
  let node = 0;
  let depth = 0;
  let isOnes = true;
  for (let at = from; at < to; at++) {
    const byte = bytes[at]!;
    for (let bit = 7; bit >= 0; bit--) {
      const one = byte >> bit & 1;
      const next = TREE[2 * node + one]!;
      depth++;
      isOnes &&= one === 1;
      if (next >= 0) {
        node = next;
        continue;
      }
      if (next === -1 - END) throw new HpackError("a string holds the symbol that marks the end");
      decoded[length++] = -1 - next;
      node = depth = 0;
      isOnes = true;
    }
  }
  if (depth > 7 || !isOnes) {
    throw new HpackError("a string is padded with something else than up to 7 ones");
  }
  return latin1(decoded, 0, length);
}
