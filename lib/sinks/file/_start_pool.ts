/**
 * The open files of a sink.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { tellTurns } from "./_file_trouble.ts";
import { FilePool } from "./writer/file_pool.ts";

/** How many files may be open where nobody tells. */
const MAX_OPEN = 1024;

/**
 * Has as many files open as there may be.
 *
 * @param most how many that are
 * @param sync whether files must be on the disk before they are closed for a while
 * @param now monotonic milliseconds
 * @param log told once where files take turns
 */
export function startPool(
  most: number | undefined,
  sync: boolean,
  now: Clock["now"],
  log: Log,
): FilePool {
  return new FilePool({
    most: most ?? MAX_OPEN,
    sync,
    now,
    onTurns: (most) => tellTurns(log, most),
  });
}
