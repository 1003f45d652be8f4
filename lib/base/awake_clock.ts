import { type Clock, SYSTEM_CLOCK } from "./clock.ts";

/**
 * Longer than this, in milliseconds, two looks at the clock are never apart, unless the program
 * stood still.
 */
const GAP_MS = 1000;

/**
 * How long nobody is judged after a standstill, in milliseconds: what came meanwhile is read first.
 */
const REST_MS = 500;

/**
 * A clock that leaves out the times in which this program stood still (SIGSTOP, a machine that
 * slept): no peer kept us waiting then, and what peers sent waits in the system.
 *
 * It must be looked at more often than once a second; so it is where deadlines are checked.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { AwakeClock } from "./awake_clock.ts";
 *
 * let now = 0;
 * const clock = new AwakeClock(() => now);
 * now = 900;
 * assertEquals([clock.now(), clock.isRested], [900, true]);
 * now = 60_000; // frozen for a minute
 * assertEquals([clock.now(), clock.isRested], [900, false]);
 * now = 60_500;
 * assertEquals([clock.now(), clock.isRested], [1400, true]);
 * ```
 */
export class AwakeClock {
  readonly #now: Clock["now"];
  #last: number;
  #frozenMs = 0;
  #restUntil = -Infinity;

  /** @param now monotonic milliseconds */
  constructor(now: Clock["now"]) {
    this.#now = now;
    this.#last = now();
  }

  /** Milliseconds in which the program ran so far. */
  readonly now = (): number => {
    const time = this.#now();
    const gap = time - this.#last;
    this.#last = time;
    if (gap >= GAP_MS) {
      this.#frozenMs += gap;
      this.#restUntil = time + REST_MS;
    }
    return time - this.#frozenMs;
  };

  /** Whether what came while we stood still has been read by now, so that deadlines count. */
  get isRested(): boolean {
    this.now();
    return this.#last >= this.#restUntil;
  }
}

/**
 * The clock by which we measure how long peers keep us waiting. Where a program passes its own
 * timers every step of its clock is meant, however long, so that no time is left out.
 *
 * @param options the server's
 */
export function clientClock(
  { now, every }: Pick<Clock, "now" | "every">,
): Pick<AwakeClock, "now" | "isRested"> {
  return every === SYSTEM_CLOCK.every ? new AwakeClock(now) : { now, isRested: true };
}
