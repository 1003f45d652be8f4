/**
 * Lets a program that runs in the background write to its terminal.
 *
 * @module
 */
import { constants } from "node:os";
import { cFunctions } from "../../adapters/process/c_library.ts";

/** SIG_IGN of the C library. */
const SIG_IGN = 1n;

/**
 * Ignores SIGTTOU, so that writes work: after `stty tostop` the system stops programs in the
 * background that write to their terminal, and a stopped server receives nothing.
 *
 * A listener would not do, for the write would still be refused, so this calls the C library. If it
 * may not (on Deno without `--allow-ffi`), nothing changes.
 */
export function writeFromBackground(): void {
  const { SIGTTOU } = constants.signals;
  if (SIGTTOU === undefined) return;
  try {
    const { signal } = cFunctions({ signal: { parameters: ["i32", "usize"], result: "usize" } });
    signal(SIGTTOU, SIG_IGN);
  } catch {
    // There is no C library, or it may not be called.
  }
}
