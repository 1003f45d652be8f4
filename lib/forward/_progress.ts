/**
 * When bytes of a file came, for how long what is not acknowledged has waited.
 *
 * @module
 */

/** Marks of one file; where there would be more, every other one is let go of. */
const MAX_MARKS = 64;
/** What comes within so many milliseconds counts as one. */
const STEP_MS = 20;

/** Remembers, roughly, when a file had which length. */
export class Progress {
  /** What is behind `size` came at `at` or later. */
  #marks: { readonly size: number; readonly at: number }[] = [];
  #size: number;

  /** @param size up to where nothing waits */
  constructor(size: number) {
    this.#size = size;
  }

  /** The file has a length now, in bytes; `at` in milliseconds. */
  reached(size: number, at: number): void {
    if (size <= this.#size) return;
    const last = this.#marks.at(-1);
    if (last === undefined || at - last.at >= STEP_MS) this.#marks.push({ size: this.#size, at });
    this.#size = size;
    if (this.#marks.length > MAX_MARKS) this.#marks = this.#marks.filter((_, i) => i % 2 === 0);
  }

  /** Since when what is behind `size` waits. */
  since(size: number): number | undefined {
    while (this.#marks.length > 1 && this.#marks[1]!.size <= size) this.#marks.shift();
    return this.#marks[0]?.at;
  }
}
