/**
 * Cuts off viewers that take nothing.
 *
 * @module
 */
import { checkCallable, type OptionNames } from "../../base/check_arguments.ts";
import { checkPositive } from "../../base/check_options.ts";
import { type Clock, SYSTEM_CLOCK } from "../../base/clock.ts";
import { AwakeClock } from "../../base/awake_clock.ts";

/** How often transfers are looked at, in milliseconds. */
const CHECK_MS = 500;

/**
 * How many times the usual deadline counts for a page. It stands still while Rerun's viewer starts,
 * for half a minute without a graphics card, and costs nobody anything meanwhile.
 */
export const BROWSER_PATIENCE = 6;

/** One transfer to a viewer. */
export interface Transfer {
  /** Whether bytes wait for the viewer. */
  readonly waits: boolean;
  /** Grows with everything that the viewer takes. */
  readonly taken: number;
  /** How many times the usual deadline counts; default 1. */
  readonly patience?: number;
  /** Ends it. */
  cut(): void;
}

/** The deadline, and the clock. */
export interface StallOptions {
  /** Seconds in which a viewer must take something of what waits for it; default 10. */
  readonly stallTimeoutSec?: number;
  /** Monotonic milliseconds; default `performance.now`, less the times in which the program stood still. */
  readonly now?: Clock["now"];
  /** Runs a task every so many milliseconds, until the function it returns is called; default a timer. */
  readonly every?: Clock["every"];
}

/** Names of all options. */
export const STALL_NAMES: OptionNames<StallOptions> = {
  ...{ stallTimeoutSec: true, now: true, every: true },
};

/**
 * Cuts off transfers that stand still, with one timer for all, and none while there is nothing to
 * watch.
 */
export class StallWatch {
  readonly #since = new Map<Transfer, { taken: number; time: number }>();
  readonly #options: Required<StallOptions>;
  #stop: (() => void) | undefined;

  constructor(
    {
      stallTimeoutSec = 10,
      now = new AwakeClock(SYSTEM_CLOCK.now).now,
      every = SYSTEM_CLOCK.every,
    }: StallOptions,
  ) {
    checkPositive("stallTimeoutSec", stallTimeoutSec);
    checkCallable({ now, every }, ["now", "every"]);
    this.#options = { stallTimeoutSec, now, every };
  }

  /**
   * Watches a transfer.
   *
   * @returns a function that ends the watch
   */
  add(transfer: Transfer): () => void {
    const { now, every } = this.#options;
    this.#since.set(transfer, { taken: transfer.taken, time: now() });
    this.#stop ??= every(CHECK_MS, () => this.#check());
    return () => {
      this.#since.delete(transfer);
      if (this.#since.size > 0) return;
      this.#stop?.();
      this.#stop = undefined;
    };
  }

  #check(): void {
    const time = this.#options.now();
    const stallMs = this.#options.stallTimeoutSec * 1000;
    for (const [transfer, since] of this.#since) {
      if (!transfer.waits || transfer.taken !== since.taken) {
        since.taken = transfer.taken;
        since.time = time;
      } else if (time - since.time >= stallMs * (transfer.patience ?? 1)) {
        since.time = time;
        transfer.cut();
      }
    }
  }
}
