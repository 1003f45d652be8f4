/**
 * Cuts off viewers that take nothing.
 *
 * @module
 */
import { checkCallable, type OptionNames } from "../../base/check_arguments.ts";
import { checkPositive } from "../../base/check_options.ts";
import { type Clock, SYSTEM_CLOCK } from "../../base/clock.ts";
import { AwakeClock } from "../../base/awake_clock.ts";
import { askUnsentBytes } from "../../adapters/tcp/unread_bytes.ts";
import type { ViewerHub } from "../types.ts";

/** How often transfers are looked at, in milliseconds. */
const CHECK_MS = 500;

/**
 * For how long a transfer has stood still when the system is asked what it holds for the viewer, and how
 * often then, in milliseconds.
 */
const ASK_MS = 1000;

/**
 * What the system must hold less of, for each second of the deadline, to count, in bytes: whoever takes a
 * byte now and then only keeps the place of others.
 */
const MIN_BYTES_PER_SEC = 500;

/** Bytes that one write hands to the system at most. */
const WRITE_BYTES = 512 * 1024;

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
  /** Address of the viewer, such as `127.0.0.1:50094`; absent where it is not known. */
  readonly addr?: string | undefined;
  /** How many times the usual deadline counts; default 1. */
  readonly patience?: number;
  /** Ends it. */
  cut(): void;
}

/** The deadline, and the clock. */
export interface StallOptions {
  /**
   * Seconds in which a viewer must take something of what waits for it, or 500 bytes for each of them of
   * what was sent before; default 10.
   */
  readonly stallTimeoutSec?: number;
  /** Monotonic milliseconds; default `performance.now`, less the times in which the program stood still. */
  readonly now?: Clock["now"];
  /** Runs a task every so many milliseconds, until the function it returns is called; default a timer. */
  readonly every?: Clock["every"];
  /**
   * Tells how many bytes the system still holds for a viewer, by its address, or `undefined`; default as
   * Linux tells, where this program may read that (on Deno with `--allow-all`).
   */
  readonly unsentBytes?: (addr: string) => Promise<number | undefined>;
}

/** Names of all options. */
export const STALL_NAMES: OptionNames<StallOptions> = {
  ...{ stallTimeoutSec: true, now: true, every: true, unsentBytes: true },
};

/** Since when a transfer stands still. */
interface Standstill {
  taken: number;
  /** When it last took something. */
  time: number;
  /** When the system was asked last. */
  askedAt: number;
  /** What the system held for it when that last counted. */
  unsent: number | undefined;
  /** What it may still take of what the system held when it came to stand, and was about to take. */
  rest: number;
}

/**
 * Cuts off transfers that stand still, with one timer for all, and none while there is nothing to
 * watch.
 *
 * ```text
 * flows ──── took nothing for 1 s ────► stands still ──── for 10 s in all ────► is cut off
 *   ▲                                          │
 *   └─ takes more, or the system holds less ───┘
 * ```
 *
 * The system takes megabytes for a viewer at once, and then no more until a third of them are gone; on a
 * slow link that is long, so it is asked whether it holds less. Other calls on the same connection take
 * bytes as well: they count no longer once all is gone that was there for this one.
 */
export class StallWatch {
  readonly #since = new Map<Transfer, Standstill>();
  readonly #options: Required<StallOptions>;
  #stop: (() => void) | undefined;

  /**
   * @param options the deadline, and the clock
   * @param hub of the viewers, whose doors ask the system together
   */
  constructor(
    {
      stallTimeoutSec = 10,
      now = new AwakeClock(SYSTEM_CLOCK.now).now,
      every = SYSTEM_CLOCK.every,
      unsentBytes,
    }: StallOptions,
    hub: Pick<ViewerHub, "unsentBytes"> = {},
  ) {
    checkPositive("stallTimeoutSec", stallTimeoutSec);
    const asked = unsentBytes ?? hub.unsentBytes ?? askUnsentBytes();
    checkCallable({ now, every, unsentBytes: asked }, ["now", "every", "unsentBytes"]);
    this.#options = { stallTimeoutSec, now, every, unsentBytes: asked };
  }

  /**
   * Watches a transfer.
   *
   * @returns a function that ends the watch
   */
  add(transfer: Transfer): () => void {
    const { now, every } = this.#options;
    this.#since.set(transfer, flowing(transfer.taken, now()));
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
    const askMs = Math.min(ASK_MS, stallMs / 4);
    for (const [transfer, since] of this.#since) {
      if (!transfer.waits || transfer.taken !== since.taken) {
        this.#since.set(transfer, flowing(transfer.taken, time));
      } else if (time - since.time >= stallMs * (transfer.patience ?? 1)) {
        since.time = time;
        transfer.cut();
      } else if (transfer.addr !== undefined && time - since.askedAt >= askMs) {
        since.askedAt = time;
        void this.#ask(transfer.addr, since);
      }
    }
  }

  async #ask(addr: string, since: Standstill): Promise<void> {
    const { unsentBytes, stallTimeoutSec, now } = this.#options;
    const unsent = await unsentBytes(addr).catch(() => undefined);
    if (unsent === undefined) return;
    if (since.unsent === undefined) since.rest = unsent + WRITE_BYTES;
    else {
      // Where it holds more, it had room for what waited: it held less in between.
      const changed = Math.abs(since.unsent - unsent);
      if (changed < MIN_BYTES_PER_SEC * stallTimeoutSec || since.rest <= 0) return;
      since.rest -= changed;
      since.time = now();
    }
    since.unsent = unsent;
  }
}

function flowing(taken: number, time: number): Standstill {
  return { taken, time, askedAt: time, unsent: undefined, rest: 0 };
}
