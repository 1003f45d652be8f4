/**
 * Remembers when bytes of a file were written, to tell how long the first unacknowledged ones have
 * waited.
 *
 * @module
 */

/** Most marks of one file; where there would be more, every other one is dropped. */
const MAX_MARKS = 64;
/** Writes within so many milliseconds share one mark. */
const STEP_MS = 20;

/** Remembers, roughly, when a file had which length. */
export class Progress {
  /** Bytes behind `size` were written at `at` or later. */
  #marks: { readonly size: number; readonly at: number }[] = [];
  #size: number;

  /** @param size length up to which everything was acknowledged */
  constructor(size: number) {
    this.#size = size;
  }

  /** Notes that the file has reached a length, in bytes, at a time in milliseconds. */
  reached(size: number, at: number): void {
    if (size <= this.#size) return;
    const last = this.#marks.at(-1);
    if (last === undefined || at - last.at >= STEP_MS) this.#marks.push({ size: this.#size, at });
    this.#size = size;
    if (this.#marks.length > MAX_MARKS) this.#marks = this.#marks.filter((_, i) => i % 2 === 0);
  }

  /** Since when the bytes behind `size` have waited. */
  since(size: number): number | undefined {
    while (this.#marks.length > 1 && this.#marks[1]!.size <= size) this.#marks.shift();
    return this.#marks[0]?.at;
  }
}
