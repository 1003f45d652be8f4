/**
 * Measures how long bytes have waited that come and go in about the same order.
 *
 * @module
 */
import type { Clock } from "../../../base/clock.ts";

/** Bytes that come within so many milliseconds share one mark. */
const STEP_MS = 5;

/** Measures how long the oldest bytes have waited, in milliseconds. */
export class Ages {
  /** When bytes came, and how many had come before. */
  #marks: { readonly time: number; before: number }[] = [];
  #time: number;
  #added = 0;
  #removed = 0;

  /** @param now monotonic */
  constructor(readonly now: Clock["now"]) {
    this.#time = now();
  }

  /** Age of the oldest; 0 if there are none. */
  get oldestMs(): number {
    const [oldest] = this.#marks;
    return oldest === undefined ? 0 : this.now() - oldest.time;
  }

  /** Looks at the clock for what is added from now on. */
  tick(): void {
    this.#time = this.now();
  }

  /** Counts bytes that come. */
  add(bytes: number): void {
    const last = this.#marks.at(-1)?.time ?? -Infinity;
    if (this.#time - last >= STEP_MS) {
      this.#marks.push({ time: this.#time, before: this.#added });
    }
    this.#added += bytes;
  }

  /** Counts bytes that go; they are taken for the oldest. */
  remove(bytes: number): void {
    this.#removed += bytes;
    if (this.#removed === this.#added) this.#marks = [];
    const kept = this.#marks.findIndex((_, i) =>
      (this.#marks[i + 1]?.before ?? Infinity) > this.#removed
    );
    if (kept > 0) this.#marks.splice(0, kept);
  }
}
