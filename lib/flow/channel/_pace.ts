/**
 * Keeps reading from running far ahead of a receiver that has to wait, for a disk say.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";

/** As much may wait before reading takes turns with receiving. */
const AHEAD_BYTES = 1024 * 1024;

/** Then one read follows the other after so many milliseconds, if the receiver is no faster. */
const STEP_MS = 2;

/**
 * Holds each read back until little waits, or for a moment.
 *
 * While a socket has bytes ready, Deno reads it again and again within one turn of its event loop: 32 MiB
 * and more, during which no write to a file is found finished. Soon the channel would be full, and what
 * is alive in it cost the garbage collector more time than all else. So reading waits for the receiver,
 * but what comes at less than about 100 MB/s a client still finds the whole channel.
 */
export class Pace {
  #waiting: PromiseWithResolvers<void> | undefined;

  /** @param delay waits for so many milliseconds */
  constructor(readonly delay: Clock["delay"]) {}

  /** What to wait for before the next read, while so many bytes wait. */
  ahead(bytes: number): Promise<void> | undefined {
    if (bytes <= AHEAD_BYTES) return undefined;
    if (this.#waiting === undefined) {
      const waiting = this.#waiting = Promise.withResolvers<void>();
      void this.delay(STEP_MS).then(() => {
        if (this.#waiting === waiting) this.#release();
      });
    }
    return this.#waiting.promise;
  }

  /** Says that so many bytes wait now. */
  received(bytes: number): void {
    if (bytes <= AHEAD_BYTES) this.#release();
  }

  #release(): void {
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }
}
