/**
 * Keeps one viewer of the log fresh, by its place and the arrival times of messages.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { addTo, type RunningTally } from "../../base/tally.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import type { Arrivals } from "./arrivals.ts";
import { frameOf, isHeavy, isTimed } from "./frame_of.ts";
import { type Thinned, Thinner } from "./thinner.ts";

/** What all viewers share. */
export interface FreshnessContext {
  readonly arrivals: Arrivals;
  /** Monotonic milliseconds. */
  readonly now: Clock["now"];
}

/** Decides what is left out for one viewer, so that what it shows stays fresh. */
export class Freshness {
  readonly #thinner: Thinner;
  readonly #context: FreshnessContext;
  readonly #skipped: RunningTally;
  /** Everything up to this place is history. */
  readonly joinedSeq: number;
  /** Bytes that had come to the log when the viewer joined. */
  readonly #joinedBytes: number;
  /** Those that had come before the first of history that the log dropped and the viewer missed. */
  #droppedBytes: number | undefined;
  /**
   * Set once the log has dropped half of history before the viewer came there. It would drop all of
   * it, and then what came after the viewer joined, plots included: so the viewer skips what is
   * heavy in the rest of history.
   */
  #isOvertaken = false;

  /**
   * @param latencySec age above which heavy messages are left out, in seconds
   * @param joined the place of the newest message, and the bytes of all up to it: that is history
   * @param context the arrival times, and the clock
   * @param skipped counts what of history it skips
   */
  constructor(
    latencySec: number,
    joined: { readonly lastSeq: number; readonly bytes: number },
    context: FreshnessContext,
    skipped: RunningTally,
  ) {
    this.#skipped = skipped;
    this.joinedSeq = joined.lastSeq;
    this.#joinedBytes = joined.bytes;
    this.#thinner = new Thinner(latencySec, this.joinedSeq);
    this.#context = context;
  }

  /** Counts so far. */
  get counts(): Thinned {
    return this.#thinner.counts;
  }

  /**
   * To be called when the log drops what comes next for it.
   *
   * @param before bytes that came before that
   */
  overtaken(before: number): void {
    const first = this.#droppedBytes ??= before;
    this.#isOvertaken ||= before - first > this.#joinedBytes - before;
  }

  /** To be called with its place before it takes something. */
  begin(at: number): void {
    const { arrivals, now } = this.#context;
    this.#thinner.begin(at < this.joinedSeq ? undefined : arrivals.timeOf(at + 1), now());
  }

  /**
   * Whether some of the next bytes may be too old for it, so that each message must be looked at.
   */
  mustThin(at: number, maxBytes: number): boolean {
    this.begin(at);
    if (this.#isOvertaken && at < this.joinedSeq) return true;
    const { arrivals, now } = this.#context;
    const nowMs = now();
    if (this.#thinner.isLightTooMuch(nowMs)) return true;
    let bytes = 0;
    for (const heavy of arrivals.after(at)) {
      if (!this.#thinner.wouldKeep(heavy, nowMs)) return true;
      bytes += heavy.bytes;
      if (bytes > maxBytes) return false;
    }
    return false;
  }

  /**
   * Takes note that it was given a whole part of the log, so that the rest of the frames in it is
   * given as well.
   */
  gave(before: number, at: number): void {
    const { arrivals, now } = this.#context;
    for (const heavy of arrivals.after(before)) {
      if (heavy.seq > at) break;
      this.#thinner.gave(heavy, now());
    }
  }

  /** Decides on the next message, and counts it if it is left out. */
  keeps(msg: LogMsg, seq: number): boolean {
    if (seq <= this.joinedSeq) return this.#keepsPast(msg);
    const { arrivals, now } = this.#context;
    const nowMs = now();
    const heavy = arrivals.heavy(seq);
    if (heavy !== undefined) return this.#thinner.keepsHeavy(heavy, nowMs);
    if (!this.#thinner.isLightTooMuch(nowMs) || !isTimed(msg)) return true;
    const frame = frameOf(msg) ?? `alone ${seq}`;
    const { length } = msg.encoded.bytes;
    return this.#thinner.keepsLight(frame, arrivals.timeOf(seq) ?? nowMs, length, nowMs);
  }

  #keepsPast(msg: LogMsg): boolean {
    if (!this.#isOvertaken || !isHeavy(msg) || !isTimed(msg)) return true;
    addTo(this.#skipped, { messages: 1, bytes: msg.encoded.bytes.length });
    return false;
  }
}
