/**
 * What is known of a target, for status lines and monitors.
 *
 * @module
 */
import type { Tally } from "../base/tally.ts";

/** How a target does. */
export interface ForwardStats {
  /** Its address, without user names, passwords and tokens. */
  readonly target: string;
  /** What it has acknowledged in this run. */
  readonly sent: Tally;
  /** What it will never take. */
  readonly refused: Tally;
  /** What was removed from the disk before it was sent. */
  readonly dropped: Tally;
  /** What waits on the disk, in bytes of its files. */
  readonly lagBytes: number;
  /** Since when the oldest of that waits, in seconds: since it was written, or since this run began. */
  readonly lagSec: number;
  /** When it last acknowledged something, in milliseconds since the Unix epoch. */
  readonly lastAckMs?: number;
  /** For how long it has taken nothing, in seconds; 0 where it works. */
  readonly outageSec: number;
  /** Why it takes nothing. */
  readonly error?: string;
  /** Whether nothing is sent to it any more until the next start. */
  readonly isStopped: boolean;
}
