/**
 * LZ4 compression as `lz4_flex` does it, which Rerun uses: the same bytes for the same input.
 *
 * @module
 */

/** The last match begins at least so many bytes before the end of the data. */
const MATCH_LIMIT = 12;
/** The last match ends at least so many bytes before the end of the data. */
const END_LITERALS = 6;
const MIN_MATCH = 4;
const MAX_DISTANCE = 65_535;
/** The step grows by one after so many bytes without a match, given as a power of two. */
const STEP_BITS = 5;

const HASH_ENTRIES = 4096;
const table = new Uint32Array(HASH_ENTRIES);

/**
 * Deflates into one block.
 *
 * @param input what to compress
 * @param out as long as {@linkcode deflatedBound} says, behind `at`
 * @param at where the block begins in `out`
 * @returns where it ends
 */
export function deflateBlock(input: Uint8Array, out: Uint8Array, at: number): number {
  const { length } = input;
  if (length <= MATCH_LIMIT) return putLiterals(input, 0, length, 0, out, at);
  const isShort = length < MAX_DISTANCE;
  const lastStart = length - MATCH_LIMIT;
  table.fill(0);
  let literals = 0;
  let cur = 1;
  for (;;) {
    let candidate: number;
    let next = cur;
    let misses = 1 << STEP_BITS;
    do {
      cur = next;
      next += misses++ >> STEP_BITS;
      if (cur > lastStart) return putLiterals(input, literals, length, 0, out, at);
      const hash = isShort ? hash4(input, cur) : hash5(input, cur);
      candidate = table[hash]!;
      table[hash] = cur;
    } while (cur - candidate > MAX_DISTANCE || !isSame4(input, candidate, cur));
    while (candidate > 0 && cur > literals && input[cur - 1] === input[candidate - 1]) {
      cur--;
      candidate--;
    }
    const offset = cur - candidate;
    const matched = cur + MIN_MATCH;
    let end = matched;
    const limit = length - END_LITERALS;
    while (end < limit && input[end] === input[end - offset]) end++;
    const more = end - matched;
    table[isShort ? hash4(input, end - 2) : hash5(input, end - 2)] = end - 2;
    at = putLiterals(input, literals, cur, Math.min(more, 15), out, at);
    out[at++] = offset & 255;
    out[at++] = offset >> 8;
    if (more >= 15) at = putLength(more - 15, out, at);
    literals = cur = end;
  }
}

/** The most bytes that a block can have. */
export function deflatedBound(bytes: number): number {
  return bytes + Math.ceil(bytes / 255) + 16;
}

/** Writes a token, its length and the literals. */
function putLiterals(
  input: Uint8Array,
  start: number,
  end: number,
  match: number,
  out: Uint8Array,
  at: number,
): number {
  const length = end - start;
  out[at++] = Math.min(length, 15) << 4 | match;
  if (length >= 15) at = putLength(length - 15, out, at);
  if (length > 32) out.set(input.subarray(start, end), at);
  else for (let i = 0; i < length; i++) out[at + i] = input[start + i]!;
  return at + length;
}

function putLength(rest: number, out: Uint8Array, at: number): number {
  for (; rest >= 255; rest -= 255) out[at++] = 255;
  out[at++] = rest;
  return at;
}

function isSame4(input: Uint8Array, a: number, b: number): boolean {
  return input[a] === input[b] && input[a + 1] === input[b + 1] && input[a + 2] === input[b + 2] &&
    input[a + 3] === input[b + 3];
}

function hash4(input: Uint8Array, at: number): number {
  const word = input[at]! | input[at + 1]! << 8 | input[at + 2]! << 16 | input[at + 3]! << 24;
  return Math.imul(word, 2654435761) >>> 20;
}

/** Bits 28 to 39 of five bytes times 0xcf1bbcdcbb, with numbers below 2^53. */
function hash5(input: Uint8Array, at: number): number {
  const low = input[at]! | input[at + 1]! << 8;
  const high = input[at + 2]! | input[at + 3]! << 8;
  const sum = low * 0x1bbcdcbb + (high * 0x1bbcdcbb % 0x1000000) * 0x10000;
  const top = Math.imul(low, 0xcf) + Math.imul(input[at + 4]!, 0xbb);
  return (Math.floor(sum / 0x10000000) + (top << 4)) & 0xfff;
}

/**
 * Deflates into one LZ4 block, the same that Rerun would write.
 *
 * @param bytes what to compress
 * @returns the block; where nothing repeats, a little longer than the bytes
 */
export function compressLz4(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(deflatedBound(bytes.length));
  return out.subarray(0, deflateBlock(bytes, out, 0));
}
