/**
 * Keeps one viewer of the log fresh, by its place and the arrival times of messages.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import type { Arrivals } from "./arrivals.ts";
import { frameOf, isTimed } from "./frame_of.ts";
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

  /**
   * @param latencySec age above which heavy messages are left out, in seconds
   * @param joinedSeq everything up to this place is history
   * @param context the arrival times, and the clock
   */
  constructor(latencySec: number, readonly joinedSeq: number, context: FreshnessContext) {
    this.#thinner = new Thinner(latencySec, joinedSeq);
    this.#context = context;
  }

  /** Counts so far. */
  get counts(): Thinned {
    return this.#thinner.counts;
  }

  /**
   * Age in seconds of the oldest message that came after a place and after the viewer joined; 0 if
   * there is none.
   */
  ageSec(at: number): number {
    const { arrivals, now } = this.#context;
    const atMs = arrivals.timeOf(Math.max(at, this.joinedSeq) + 1);
    return atMs === undefined ? 0 : Math.max(0, now() - atMs) / 1000;
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
    if (seq <= this.joinedSeq) return true;
    const { arrivals, now } = this.#context;
    const nowMs = now();
    const heavy = arrivals.heavy(seq);
    if (heavy !== undefined) return this.#thinner.keepsHeavy(heavy, nowMs);
    if (!this.#thinner.isLightTooMuch(nowMs) || !isTimed(msg)) return true;
    const frame = frameOf(msg) ?? `alone ${seq}`;
    const { length } = msg.encoded.bytes;
    return this.#thinner.keepsLight(frame, arrivals.timeOf(seq) ?? nowMs, length, nowMs);
  }
}
