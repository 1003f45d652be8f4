/**
 * The first signal asks the program to end, the second ends it.
 *
 * @module
 */
import { type Clock, SYSTEM_CLOCK } from "../../base/clock.ts";
import { EXIT } from "../exit_codes.ts";
import type { CliProcess, StopSignal } from "../process.ts";

/**
 * Signals that are so close together, in milliseconds, count as one. Ctrl-C reaches all processes
 * of a terminal, and a starter such as `npm` may pass it on as well; when a terminal is closed,
 * both the system and its shell send SIGHUP.
 */
const ONE_WISH_MS = 50;

/**
 * Resolves at the first signal; a second one ends the process at once.
 *
 * @param process the process that gets the signals
 * @param beforeExit called before the process is ended at once
 * @param now monotonic milliseconds
 * @returns the first signal
 */
export function stopSignals(
  process: Pick<CliProcess, "onStopSignal" | "exitNow">,
  beforeExit: () => void = () => {},
  now: Clock["now"] = SYSTEM_CLOCK.now,
): Promise<StopSignal> {
  return new Promise((resolve) => {
    let first: number | undefined;
    process.onStopSignal((signal) => {
      if (first === undefined) {
        first = now();
        resolve(signal);
      } else if (now() - first > ONE_WISH_MS) {
        beforeExit();
        process.exitNow(EXIT.signal[signal]);
      }
    });
  });
}
