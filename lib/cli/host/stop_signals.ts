/**
 * The first signal asks the program to end, the second ends it.
 *
 * @module
 */
import { EXIT } from "../exit_codes.ts";
import type { CliProcess } from "../process.ts";

/**
 * Ctrl-C reaches all processes of a terminal, and a starter such as `npm` may pass on what it got
 * as well: signals so close together are one wish.
 */
const ONE_WISH_MS = 50;

/**
 * Resolves at the first signal; a second one ends the process at once.
 *
 * @param process whose signals
 * @param beforeExit called before the process is ended at once
 * @param now monotonic milliseconds
 */
export function stopSignals(
  process: Pick<CliProcess, "onStopSignal" | "exitNow">,
  beforeExit: () => void = () => {},
  now: () => number = () => performance.now(),
): Promise<void> {
  return new Promise((resolve) => {
    let first: number | undefined;
    process.onStopSignal((signal) => {
      if (first === undefined) {
        first = now();
        resolve();
      } else if (now() - first > ONE_WISH_MS) {
        beforeExit();
        process.exitNow(EXIT.signal[signal]);
      }
    });
  });
}
