/**
 * What dies while a target catches up is collected: each message is copied on its way from the disk to a
 * socket, and runtimes let hundreds of megabytes of that pile up.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";

/**
 * A collection is worth its time once so many bytes from the disk were sent within
 * {@linkcode WITHIN_MS}.
 */
const MANY_BYTES = 16 * 1024 * 1024;
/** Where less is sent in so many milliseconds, it is left to the runtime. */
const WITHIN_MS = 4000;
/**
 * So many bytes that are sent as they are logged count as one: each collection makes V8's space for
 * young objects as small as it can be, and V8 then copies many that are about to die.
 */
const LIVE_SHARE = 4;
/** A collection is followed by so many times its own time without one. */
const PAUSE = 5;
/**
 * Once so many bytes were sent, a pause as long as the collection is enough: where programs wait for a
 * processor, one takes so long that hundreds of megabytes would pile up in the longer pause.
 */
const TOO_MANY_BYTES = 2 * MANY_BYTES;
const SHORT_PAUSE = 1;

/** Asks for a collection while much is sent. */
export class CatchUpGarbage {
  readonly #collect: () => void;
  readonly #now: Clock["now"];
  #bytes = 0;
  /** When the first of these was sent. */
  #since = -Infinity;
  /** When the last collection ended, and how long it took. */
  #ended = -Infinity;
  #tookMs = 0;

  /**
   * @param collect collects all garbage before it returns
   * @param now monotonic milliseconds
   */
  constructor(collect: () => void, now: Clock["now"]) {
    this.#collect = collect;
    this.#now = now;
  }

  /**
   * Takes note of bytes that were sent.
   *
   * @param bytes how many
   * @param isLive whether they were still in memory from being written
   */
  sent(bytes: number, isLive: boolean): void {
    const start = this.#now();
    if (start - this.#since > WITHIN_MS) [this.#bytes, this.#since] = [0, start];
    this.#bytes += isLive ? bytes / LIVE_SHARE : bytes;
    const pause = this.#bytes < TOO_MANY_BYTES ? PAUSE : SHORT_PAUSE;
    if (this.#bytes < MANY_BYTES || start < this.#ended + pause * this.#tookMs) return;
    this.#collect();
    const end = this.#now();
    this.#tookMs = end - start;
    [this.#bytes, this.#since, this.#ended] = [0, end, end];
  }
}
