/**
 * Counts and state of a target, for status lines and monitoring.
 *
 * @module
 */
import type { Tally } from "../base/tally.ts";

/** Counts and state of a target. */
export interface ForwardStats {
  /** Its address, without user names, passwords and tokens. */
  readonly target: string;
  /** Messages that it has acknowledged in this run. */
  readonly sent: Tally;
  /** Messages that it refused for good. */
  readonly refused: Tally;
  /** Messages that were removed from the disk before they were sent. */
  readonly dropped: Tally;
  /** How much waits on the disk, in bytes of its files. */
  readonly lagBytes: number;
  /**
   * How long the oldest of that has waited, in seconds: since it was written, or since this run
   * began.
   */
  readonly lagSec: number;
  /** When it last acknowledged something, in milliseconds since the Unix epoch. */
  readonly lastAckMs?: number;
  /** How long the target has failed, in seconds; 0 while it works. */
  readonly outageSec: number;
  /** Why the target fails. */
  readonly error?: string;
  /** Whether the target refused everything, so that nothing is sent to it before the next start. */
  readonly isStopped: boolean;
}
