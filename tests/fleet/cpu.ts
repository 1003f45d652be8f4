/** How much of the processor's time a process has taken; Linux alone tells that of others. */
import { readFileSync } from "node:fs";

/** Clock ticks a second, as `/proc` counts them. */
const TICKS_PER_SEC = 100;

/** Seconds of all its threads so far; 0 where nobody tells, or it is gone. */
export function cpuSeconds(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name in parentheses may have spaces.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SEC;
  } catch {
    return 0;
  }
}
