/**
 * Speeds over the last seconds, computed from totals that only grow.
 *
 * @module
 */

/** Totals at one time. */
export interface Sample {
  /** Monotonic milliseconds. */
  readonly time: number;
  readonly messages: number;
  readonly bytes: number;
}

/** Speeds. */
export interface Rates {
  readonly messagesPerSec: number;
  readonly bytesPerSec: number;
}

/** Keeps the samples of a window and tells the mean speeds over it. */
export class RateMeter {
  #samples: Sample[] = [];

  /** @param windowMs how far back the mean reaches, in milliseconds */
  constructor(readonly windowMs = 2000) {}

  /** How many samples are held. */
  get size(): number {
    return this.#samples.length;
  }

  /** Takes totals and returns the mean speeds since the oldest sample in the window. */
  rates(now: Sample): Rates {
    // One sample from before the window stays: without it the window's first part would be lost.
    while (this.#samples.length > 1 && this.#samples[1]!.time <= now.time - this.windowMs) {
      this.#samples.shift();
    }
    const oldest = this.#samples[0] ?? now;
    this.#samples.push(now);
    const seconds = (now.time - oldest.time) / 1000;
    if (seconds <= 0) return { messagesPerSec: 0, bytesPerSec: 0 };
    return {
      messagesPerSec: (now.messages - oldest.messages) / seconds,
      bytesPerSec: (now.bytes - oldest.bytes) / seconds,
    };
  }
}
