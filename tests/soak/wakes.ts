/** What others on the machine take from a script, they may take from what it measures as well. */
const WAKE_MS = 10;

/** Wakes every so often, and notes how late: by so much anything else may be late as well. */
export class Wakes {
  /** The most it was late, in milliseconds. */
  latestMs = 0;
  #woke = performance.now();
  readonly #timer = setInterval(() => this.#wake(), WAKE_MS);

  /** Ends it. */
  stop(): void {
    clearInterval(this.#timer);
  }

  #wake(): void {
    const now = performance.now();
    this.latestMs = Math.max(this.latestMs, now - this.#woke - WAKE_MS);
    this.#woke = now;
  }
}
