/**
 * Thins what a viewer on a slow link gets, so that it stays fresh: heavy messages that are too old
 * are left out, whole frames at a time, and light ones pass.
 *
 * @module
 */
import { forgetOldest } from "../../base/forget_oldest.ts";
import { addTo, newTally, type Tally } from "../../base/tally.ts";
import type { Heavy } from "./arrivals.ts";

/**
 * How long a decision on a frame holds, in milliseconds: some programs set a time once and log
 * under it for ever.
 */
const RENEW_MS = 30_000;
/**
 * How many decisions are remembered of each weight, which are those of the last seconds: of thousands of
 * light frames none makes a heavy one forgotten, whose rest would be judged anew.
 */
const MAX_DECISIONS = 512;
/**
 * How long after something was left out the viewer is kept closer to the live edge, in
 * milliseconds.
 */
const THINNING_MS = 1000;
/**
 * If a viewer is late for so long without heavy messages, in milliseconds, light messages alone are
 * too much for its link.
 */
const LIGHT_LATE_MS = 5000;
/**
 * How long light messages are thinned then, in milliseconds after the last one that was left out.
 */
const LIGHT_HOLD_MS = 10_000;

/** Counts of what was given and left out since the viewer joined. */
export interface Thinned {
  /** Frames of heavy messages that were given. */
  readonly shownFrames: number;
  /** Frames that were left out. */
  readonly leftOutFrames: number;
  /** Heavy messages that were left out. */
  readonly heavy: Tally;
  /** Light messages that were left out, because they alone were too much for the link. */
  readonly light: Tally;
}

/** What was decided on frames, the newest last. */
type Decisions = Map<string, { readonly keeps: boolean; readonly atMs: number }>;

/** Decides for one viewer; time is passed in. */
export class Thinner {
  readonly #latencyMs: number;
  readonly #decisions = { heavy: new Map() as Decisions, light: new Map() as Decisions };
  readonly #heavy = newTally();
  readonly #light = newTally();
  #shownFrames = 0;
  #leftOutFrames = 0;
  #thinningUntil = -Infinity;
  #lateSince: number | undefined;
  #lightUntil = -Infinity;

  /**
   * @param latencySec the age above which heavy messages are left out, in seconds
   * @param joinedSeq everything up to this place is history, which is never thinned
   */
  constructor(latencySec: number, readonly joinedSeq: number) {
    this.#latencyMs = latencySec * 1000;
  }

  /** Counts so far. */
  get counts(): Thinned {
    return {
      shownFrames: this.#shownFrames,
      leftOutFrames: this.#leftOutFrames,
      heavy: { ...this.#heavy },
      light: { ...this.#light },
    };
  }

  /**
   * To be called before the viewer takes something.
   *
   * @param atMs when the oldest message came that it was not given, if that was after it joined
   * @param nowMs monotonic
   */
  begin(atMs: number | undefined, nowMs: number): void {
    if (atMs === undefined || nowMs - atMs <= this.#latencyMs) this.#lateSince = undefined;
    else this.#lateSince ??= nowMs;
    if (this.#lateSince !== undefined && nowMs - this.#lateSince > LIGHT_LATE_MS) {
      this.#lightUntil = nowMs + LIGHT_HOLD_MS;
    }
  }

  /** Whether light messages are thinned as well. */
  isLightTooMuch(nowMs: number): boolean {
    return nowMs < this.#lightUntil;
  }

  /** Whether a heavy message would be given now. */
  wouldKeep({ seq, atMs, frame }: Heavy, nowMs: number): boolean {
    if (seq <= this.joinedSeq) return true;
    return recall(this.#decisions.heavy, frame, nowMs) ?? this.#isFresh(atMs, nowMs);
  }

  /**
   * Decides on the next message, if it is heavy.
   *
   * @returns whether the viewer is given it; if not, it is counted
   */
  keepsHeavy(heavy: Heavy, nowMs: number): boolean {
    const { seq, bytes, atMs, frame } = heavy;
    if (seq <= this.joinedSeq) return true;
    const before = recall(this.#decisions.heavy, frame, nowMs);
    const keeps = before ?? this.#isFresh(atMs, nowMs);
    if (before === undefined) this.#noteHeavy(frame, keeps, nowMs);
    if (keeps) return true;
    this.#thinningUntil = nowMs + THINNING_MS;
    addTo(this.#heavy, { messages: 1, bytes });
    return false;
  }

  /**
   * Takes note that the viewer is given a heavy message in any case: the rest of its frame will
   * follow.
   */
  gave({ seq, frame }: Heavy, nowMs: number): void {
    if (seq <= this.joinedSeq || recall(this.#decisions.heavy, frame, nowMs) !== undefined) return;
    this.#noteHeavy(frame, true, nowMs);
  }

  /**
   * Decides on the next message, if it is light and light ones are too much.
   *
   * @param frame the frame that it belongs to; one of its own if it has none
   * @param atMs when it came
   * @param bytes of it
   * @param nowMs monotonic
   */
  keepsLight(frame: string, atMs: number, bytes: number, nowMs: number): boolean {
    const before = recall(this.#decisions.light, frame, nowMs);
    const keeps = before ?? this.#isFresh(atMs, nowMs);
    if (before === undefined) note(this.#decisions.light, frame, keeps, nowMs);
    if (keeps) return true;
    this.#thinningUntil = nowMs + THINNING_MS;
    this.#lightUntil = nowMs + LIGHT_HOLD_MS;
    addTo(this.#light, { messages: 1, bytes });
    return false;
  }

  /**
   * Whether a message is fresh enough. While it thins, it aims below the limit, since what is sent
   * still has to get through the link.
   */
  #isFresh(atMs: number, nowMs: number): boolean {
    const isThinning = nowMs < this.#thinningUntil;
    return nowMs - atMs <= (isThinning ? this.#latencyMs / 2 : this.#latencyMs);
  }

  #noteHeavy(frame: string, keeps: boolean, nowMs: number): void {
    if (keeps) this.#shownFrames++;
    else this.#leftOutFrames++;
    note(this.#decisions.heavy, frame, keeps, nowMs);
  }
}

/** What was decided on a frame; `undefined` if nothing was lately. */
function recall(decisions: Decisions, frame: string, nowMs: number): boolean | undefined {
  const decision = decisions.get(frame);
  return decision === undefined || nowMs - decision.atMs > RENEW_MS ? undefined : decision.keeps;
}

function note(decisions: Decisions, frame: string, keeps: boolean, atMs: number): void {
  decisions.delete(frame);
  decisions.set(frame, { keeps, atMs });
  forgetOldest(decisions, MAX_DECISIONS);
}
