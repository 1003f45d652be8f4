/**
 * Garbage collection on Deno.
 *
 * @module
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

let collect: (() => void) | undefined;

/** Collects all garbage before it returns; takes about 20 ms for 30,000 messages. */
export function collectGarbage(): void {
  if (collect === undefined) {
    // The flag counts for contexts made after it is set; programs of this one do not see it.
    setFlagsFromString("--expose-gc");
    collect = runInNewContext("gc") as () => void;
  }
  collect();
}
