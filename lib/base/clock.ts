/**
 * Time, which is passed in everywhere: from the runtime's timers, or from a test that turns it by
 * hand.
 *
 * @module
 */

/** All that may be asked of time; a function that needs less of it takes a `Pick` of this. */
export interface Clock {
  /** Monotonic milliseconds; default `performance.now`. */
  readonly now: () => number;
  /** Milliseconds since the Unix epoch; default `Date.now`. */
  readonly date: () => number;
  /** Waits for so many milliseconds; default by a timer. */
  readonly delay: (ms: number) => Promise<void>;
  /** Runs a task once in so many milliseconds, unless the function it returns is called before. */
  readonly timer: (ms: number, task: () => void) => () => void;
  /** Runs a task every so many milliseconds, until the function it returns is called. */
  readonly every: (ms: number, task: () => void) => () => void;
}

/** The clock of the runtime. */
export const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  date: () => Date.now(),
  delay: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  timer(ms, task) {
    const timer = setTimeout(task, ms);
    return () => clearTimeout(timer);
  },
  every(ms, task) {
    const timer = setInterval(task, ms);
    return () => clearInterval(timer);
  },
};
