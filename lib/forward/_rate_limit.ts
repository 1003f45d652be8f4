/**
 * Limits the rate at which bytes are sent.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";

/**
 * Lets bytes go at a rate. A batch larger than one second's bytes goes whole; the next one waits
 * longer for it.
 */
export class RateLimit {
  readonly #perMs: number;
  readonly #now: Clock["now"];
  readonly #timer: Clock["timer"];
  /** When the next bytes may go, in milliseconds of the clock. */
  #free = -Infinity;

  /**
   * @param perSec bytes
   * @param now monotonic milliseconds
   * @param timer calls back after so many milliseconds
   */
  constructor(
    perSec: number,
    now: Clock["now"],
    timer: Clock["timer"],
  ) {
    this.#perMs = perSec / 1000;
    this.#now = now;
    this.#timer = timer;
  }

  /**
   * Resolves when so many bytes may go.
   *
   * @throws the signal's reason
   */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    if (this.#perMs === Infinity) return;
    const now = this.#now();
    const at = Math.max(this.#free, now);
    this.#free = at + bytes / this.#perMs;
    if (at <= now) return;
    await pause(at - now, this.#timer, signal);
    signal.throwIfAborted();
  }
}

/** Resolves after so many milliseconds, or when the signal is aborted. */
export function pause(ms: number, timer: Clock["timer"], signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const go = () => {
      callOff();
      signal.removeEventListener("abort", go);
      resolve();
    };
    const callOff = timer(ms, go);
    signal.addEventListener("abort", go);
  });
}
