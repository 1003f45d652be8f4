/**
 * Writes one LZ4 block of data that comes piece by piece, and keeps only as much of the data as
 * matches reach back.
 *
 * @module
 */

/** The last match begins at least so many bytes before the end of the data. */
const MATCH_LIMIT = 12;
/** The last match ends at least so many bytes before the end of the data. */
const END_LITERALS = 5;
const MIN_MATCH = 4;
const MAX_DISTANCE = 65_535;
const HASH_BITS = 14;
/** The step grows by one after so many bytes without a match, given as a power of two. */
const STEP_BITS = 6;
const FIRST_INPUT_BYTES = 256 * 1024;

/** Deflates what is written to it. */
export class Lz4Writer {
  /** Data that may still be needed. */
  #input = new Uint8Array(FIRST_INPUT_BYTES);
  #end = 0;
  /** Where the data begins that is not in the output. */
  #literals = 0;
  /** Where the next match is looked for. */
  #at = 1;
  readonly #table = new Int32Array(1 << HASH_BITS).fill(-1);
  #out = new Uint8Array(4096);
  #outEnd = 0;
  /** How many bytes came. */
  length = 0;

  /** Takes the next bytes. */
  write(bytes: Uint8Array): void {
    this.length += bytes.length;
    for (let at = 0; at < bytes.length;) {
      if (this.#end === this.#input.length) this.#makeRoom();
      const part = bytes.subarray(at, at + this.#input.length - this.#end);
      this.#input.set(part, this.#end);
      this.#end += part.length;
      at += part.length;
    }
  }

  /** The block; nothing more may be written. */
  finish(): Uint8Array {
    this.#deflate();
    this.#sequence(this.#end, 0, 0);
    return this.#out.subarray(0, this.#outEnd);
  }

  #makeRoom(): void {
    this.#deflate();
    const gone = Math.min(this.#literals, this.#at - MAX_DISTANCE);
    if (gone < this.#input.length / 4) {
      const more = new Uint8Array(2 * this.#input.length);
      more.set(this.#input);
      this.#input = more;
      return;
    }
    this.#input.copyWithin(0, gone, this.#end);
    this.#end -= gone;
    this.#literals -= gone;
    this.#at -= gone;
    const table = this.#table;
    for (let i = 0; i < table.length; i++) table[i] = table[i]! - gone;
  }

  #deflate(): void {
    const input = this.#input;
    const table = this.#table;
    const last = this.#end - MATCH_LIMIT;
    const limit = this.#end - END_LITERALS;
    let misses = 1 << STEP_BITS;
    while (this.#at <= last) {
      const at = this.#at;
      const slot = hash(input, at);
      const candidate = table[slot]!;
      table[slot] = at;
      if (candidate < 0 || at - candidate > MAX_DISTANCE || !isSame(input, candidate, at)) {
        this.#at += misses++ >> STEP_BITS;
        continue;
      }
      let start = at;
      let from = candidate;
      while (start > this.#literals && from > 0 && input[start - 1] === input[from - 1]) {
        start--;
        from--;
      }
      const distance = start - from;
      let end = at + MIN_MATCH;
      while (end < limit && input[end] === input[end - distance]) end++;
      this.#sequence(start, distance, end - start);
      this.#literals = this.#at = end;
      table[hash(input, end - 2)] = end - 2;
      misses = 1 << STEP_BITS;
    }
  }

  /** Writes the literals up to `start`, and a match behind them; the last sequence has no match. */
  #sequence(start: number, distance: number, length: number): void {
    const literals = start - this.#literals;
    this.#grow(literals + Math.ceil(literals / 255) + Math.ceil(length / 255) + 8);
    const out = this.#out;
    const more = length === 0 ? 0 : length - MIN_MATCH;
    out[this.#outEnd++] = Math.min(literals, 15) << 4 | Math.min(more, 15);
    if (literals >= 15) this.#length(literals - 15);
    out.set(this.#input.subarray(this.#literals, start), this.#outEnd);
    this.#outEnd += literals;
    if (length === 0) return;
    out[this.#outEnd++] = distance & 255;
    out[this.#outEnd++] = distance >> 8;
    if (more >= 15) this.#length(more - 15);
  }

  #length(rest: number): void {
    for (; rest >= 255; rest -= 255) this.#out[this.#outEnd++] = 255;
    this.#out[this.#outEnd++] = rest;
  }

  #grow(bytes: number): void {
    if (this.#outEnd + bytes <= this.#out.length) return;
    const more = new Uint8Array(2 * (this.#outEnd + bytes));
    more.set(this.#out.subarray(0, this.#outEnd));
    this.#out = more;
  }
}

function isSame(input: Uint8Array, a: number, b: number): boolean {
  return input[a] === input[b] && input[a + 1] === input[b + 1] && input[a + 2] === input[b + 2] &&
    input[a + 3] === input[b + 3];
}

function hash(input: Uint8Array, at: number): number {
  const word = input[at]! | input[at + 1]! << 8 | input[at + 2]! << 16 | input[at + 3]! << 24;
  return Math.imul(word, 2654435761) >>> (32 - HASH_BITS);
}
