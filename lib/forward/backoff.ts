/**
 * How long to wait before a target is tried again.
 *
 * @module
 */

const FIRST_MS = 250;
/** A connection that works again is noticed after so long at most. */
const LONGEST_MS = 5000;

/** Doubles from a quarter of a second to 5 s, each time between half of it and all of it. */
export class TargetBackoff {
  readonly #random: () => number;
  #failures = 0;

  /**
   * @param random a number from 0 to below 1, so that boxes that lost one server do not all come
   * back at one time
   */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** Notes a failure; returns how long to wait, in milliseconds. */
  failed(): number {
    const longest = Math.min(FIRST_MS * 2 ** this.#failures, LONGEST_MS);
    this.#failures++;
    return longest * (0.5 + this.#random() / 2);
  }

  /** Notes that the target works again. */
  worked(): void {
    this.#failures = 0;
  }
}
