/**
 * Keeps reading from running far ahead of a receiver that has to wait, for a disk, for example.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";

/** Bytes that may wait before reading is slowed down to the pace of the receiver. */
const AHEAD_BYTES = 1024 * 1024;

/** From then on a read waits until the receiver has taken enough, or for so many milliseconds. */
const STEP_MS = 2;

/**
 * Holds back each read until little waits, but only for a moment.
 *
 * While a socket has bytes ready, a loop of reads on Deno is not interrupted by its event loop: 32
 * MiB and more are read before a write to a file is found finished. To see it: `setInterval(() =>
 * console.log(read), 0)` beside a loop of `read += await conn.read(buffer)` from a fast sender
 * writes numbers that are up to 32 MiB apart. Soon the channel would be full, and collecting
 * garbage beside so much that is alive would cost more time than all else. So reading waits for the
 * receiver; a client that sends less than about 100 MB/s still has the whole channel.
 */
export class Pace {
  #waiting: PromiseWithResolvers<void> | undefined;

  /** @param delay waits for so many milliseconds */
  constructor(readonly delay: Clock["delay"]) {}

  /**
   * Gives what to wait for before the next read, while so many bytes wait; nothing if it may be
   * made now.
   */
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
