/**
 * Keeps one viewer of the log fresh: what it goes by is its place, and when what came.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import type { Arrivals } from "./arrivals.ts";
import { frameOf, isTimed } from "./frame_of.ts";
import { type Thinned, Thinner } from "./thinner.ts";

/** What is the same for all viewers. */
export interface FreshnessContext {
  readonly arrivals: Arrivals;
  /** Monotonic milliseconds. */
  readonly now: Clock["now"];
}

/** Decides for one viewer what is left out, so that what it is shown stays fresh. */
export class Freshness {
  readonly #thinner: Thinner;
  readonly #context: FreshnessContext;

  /**
   * @param latencySec age above which heavy messages are left out, in seconds
   * @param joinedSeq what came until here is history
   * @param context when what came
   */
  constructor(latencySec: number, readonly joinedSeq: number, context: FreshnessContext) {
    this.#thinner = new Thinner(latencySec, joinedSeq);
    this.#context = context;
  }

  /** Counts so far. */
  get counts(): Thinned {
    return this.#thinner.counts;
  }

  /** How old the oldest is that came after a place, and after the viewer joined, in seconds; else 0. */
  ageSec(at: number): number {
    const { arrivals, now } = this.#context;
    const atMs = arrivals.timeOf(Math.max(at, this.joinedSeq) + 1);
    return atMs === undefined ? 0 : Math.max(0, now() - atMs) / 1000;
  }

  /** Told of its place before each time that it takes something. */
  begin(at: number): void {
    const { arrivals, now } = this.#context;
    this.#thinner.begin(at < this.joinedSeq ? undefined : arrivals.timeOf(at + 1), now());
  }

  /** Whether something of the next bytes may be too old for it: then it goes message by message. */
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

  /** It was given all of a part of the log: the rest of the frames in it will be given as well. */
  gave(before: number, at: number): void {
    const { arrivals, now } = this.#context;
    for (const heavy of arrivals.after(before)) {
      if (heavy.seq > at) break;
      this.#thinner.gave(heavy, now());
    }
  }

  /** Decides on a message that is next, and counts it where it is left out. */
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
