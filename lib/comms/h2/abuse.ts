/**
 * Bounds on what costs us more than it costs the peer.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { ERROR, H2Error } from "./error_codes.ts";

/**
 * A budget for one kind of event: so many at once, so many a second, and more where other events
 * earn some.
 */
export class Budget {
  #left: number;
  #at: number;

  /**
   * @param burst how many at once
   * @param perSec how many a second
   * @param now clock in milliseconds
   */
  constructor(readonly burst: number, readonly perSec: number, readonly now: Clock["now"]) {
    this.#left = burst;
    this.#at = now();
  }

  /**
   * Counts one more event.
   *
   * @param what it is, in the plural
   * @param count how many, where it is not one
   * @throws {H2Error} ENHANCE_YOUR_CALM if that is too many
   */
  spend(what: string, count = 1): void {
    if (this.#left < count) this.#refill();
    if (this.#left < count) throw new H2Error(ERROR.ENHANCE_YOUR_CALM, `too many ${what}`);
    this.#left -= count;
  }

  /** Allows so many more, but never more at once than `burst`. */
  earn(count: number): void {
    this.#left = Math.min(this.burst, this.#left + count);
  }

  /**
   * Refills by the time that passed; called only when the budget is used up, as most connections
   * never do.
   */
  #refill(): void {
    const now = this.now();
    this.earn((now - this.#at) / 1000 * this.perSec);
    this.#at = now;
  }
}

/**
 * Bytes of header fields that may come at once and in a second, not counting those of calls that
 * ended well.
 */
const [HEADER_BYTES, HEADER_BYTES_PER_SEC] = [128 * 1024, 16 * 1024];

/** DATA frames with fewer bytes of a body are tiny. */
const TINY_BYTES = 256;

/** How many WINDOW_UPDATEs a DATA frame that we sent may be answered by. */
const UPDATES_PER_DATA = 4;

/** All bounds of one connection on how often its peer may do something. */
export class Abuse {
  /** SETTINGS, PING, PRIORITY, GOAWAY, unknown frames. */
  readonly control: Budget;
  /** Streams that the peer ended before their time, and those that it made us end. */
  readonly resets: Budget;
  /** Bytes of header fields: they cost more to read than to send. */
  readonly headers: Budget;
  readonly #tiny: Budget;
  readonly #updates: Budget;

  /** @param now clock in milliseconds */
  constructor(now: Clock["now"]) {
    this.control = new Budget(1000, 200, now);
    this.resets = new Budget(200, 20, now);
    this.headers = new Budget(HEADER_BYTES, HEADER_BYTES_PER_SEC, now);
    this.#tiny = new Budget(1000, 200, now);
    this.#updates = new Budget(1000, 200, now);
  }

  /**
   * A DATA frame came.
   *
   * @param bytes of the body in it
   * @param isEnd whether it ends its stream, which costs nothing, for a stream has one end
   */
  data(bytes: number, isEnd: boolean): void {
    if (bytes >= TINY_BYTES || isEnd) this.#tiny.earn(1);
    else this.#tiny.spend("tiny DATA frames");
  }

  /** The peer raised a window. */
  update(): void {
    this.#updates.spend("WINDOW_UPDATE frames");
  }

  /** So many DATA frames were sent, which the peer may answer with updates. */
  sent(frames: number): void {
    this.#updates.earn(frames * UPDATES_PER_DATA);
  }

  /** A stream ended well, whose header fields had so many bytes. */
  endedWell(headerBytes: number): void {
    this.resets.earn(1);
    this.headers.earn(headerBytes);
  }
}
