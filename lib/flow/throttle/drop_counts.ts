/**
 * Counts what is dropped and why, and logs when dropping begins and ends.
 *
 * @module
 */
import type { Log } from "../../base/log.ts";
import { addTo, newTally, sumOf, type Tally } from "../../base/tally.ts";
import type { Verdict } from "./_decision_table.ts";
import { plural } from "../../base/plural.ts";

/** Why a message was dropped: to keep the latency low, or because its client's share was full. */
export type DropCause = Exclude<Verdict, "send">;

/** What was dropped since the client came, by cause. */
export type DropCounts = Readonly<Record<DropCause, Tally>>;

/** The counts before anything was dropped. */
export const NONE_DROPPED: DropCounts = {
  throttled: { messages: 0, bytes: 0 },
  overflow: { messages: 0, bytes: 0 },
};

/** The sum of two counts. */
export function addDropped(a: DropCounts, b: DropCounts): DropCounts {
  return {
    throttled: sumOf(a.throttled, b.throttled),
    overflow: sumOf(a.overflow, b.overflow),
  };
}

/** Dropping has ended once nothing was dropped for this long: it often stops for a moment only. */
const QUIET_MS = 5000;

/** Counts what is dropped of one client. */
export class DropReport {
  readonly #maxLatencySec: number;
  readonly #log: Log;
  readonly #counts = { throttled: newTally(), overflow: newTally() };
  #lastDropMs = -Infinity;
  #atBegin: Tally | undefined;

  constructor(maxLatencySec: number, log: Log) {
    this.#maxLatencySec = maxLatencySec;
    this.#log = log;
  }

  get counts(): DropCounts {
    const { throttled, overflow } = this.#counts;
    return { throttled: { ...throttled }, overflow: { ...overflow } };
  }

  /** When something was dropped last, in monotonic milliseconds; −Infinity before that. */
  get lastDropMs(): number {
    return this.#lastDropMs;
  }

  /** Counts a dropped message. */
  count(cause: DropCause, bytes: number, nowMs: number): void {
    if (this.#atBegin === undefined) {
      this.#atBegin = this.#total();
      this.#log.write(
        "warn",
        `Input latency is over the max (${this.#maxLatencySec} s) - dropping packets.`,
        { cause },
      );
    }
    addTo(this.#counts[cause], { messages: 1, bytes });
    this.#lastDropMs = nowMs;
  }

  /** Logs that dropping has ended, if nothing was dropped for a while. */
  endDropping(nowMs: number): void {
    if (this.#atBegin !== undefined && nowMs - this.#lastDropMs > QUIET_MS) this.finish();
  }

  /** Logs that dropping has ended, if it had begun, because the client has left. */
  finish(): void {
    const before = this.#atBegin;
    if (before === undefined) return;
    this.#atBegin = undefined;
    const { messages, bytes } = this.#total();
    const droppedMessages = messages - before.messages;
    const droppedBytes = bytes - before.bytes;
    this.#log.write(
      "info",
      `No longer dropping packets: dropped ${plural(droppedMessages, "message")} ` +
        `(${plural(droppedBytes, "byte")}) ` +
        `to keep input latency under the max (${this.#maxLatencySec} s).`,
      { droppedMessages, droppedBytes },
    );
  }

  #total(): Tally {
    return sumOf(this.#counts.throttled, this.#counts.overflow);
  }
}
