/**
 * Lets a program that runs in the background write to its terminal.
 *
 * @module
 */
import { constants } from "node:os";
import { cFunctions } from "../../adapters/process/c_library.ts";

/** As the C library names it. */
const SIG_IGN = 1n;

/**
 * Has SIGTTOU ignored, so that what is written is written: after `stty tostop` the system stops programs
 * in the background that write to their terminal, and a server that stands still receives nothing.
 *
 * A listener would not do, for the write would go on being refused; so the C library is asked. Where it
 * can't be, on Deno without `--allow-ffi`, all stays as it is.
 */
export function writeFromBackground(): void {
  const { SIGTTOU } = constants.signals;
  if (SIGTTOU === undefined) return;
  try {
    const { signal } = cFunctions({ signal: { parameters: ["i32", "usize"], result: "usize" } });
    signal(SIGTTOU, SIG_IGN);
  } catch {
    // There is no such library, or it may not be called.
  }
}
