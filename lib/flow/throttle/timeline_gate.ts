/**
 * Lets each frame of one timeline through as a whole, or drops it as a whole.
 *
 * @module
 */
import type { ThrottleRules } from "./accept_rate.ts";
import { DecisionTable, type Verdict } from "./_decision_table.ts";
import { Dither } from "./dither.ts";

/**
 * How long a refusal holds after the accept rate is back at 1, in milliseconds: longer than logging
 * a frame takes, so that no frame is torn, and short, so that a program that loops over the same
 * times is soon seen completely.
 */
export const HOLD_MS = 1000;

/**
 * After so many milliseconds a frame is decided anew. Some programs set a time once and log under
 * it for ever: one refusal must not silence them, and one acceptance must not exempt them.
 */
export const RENEW_MS = 30_000;

/** What a decision depends on, besides the time. */
export interface Circumstances {
  /** The share to accept, 0 to 1. */
  readonly acceptRate: number;
  /** Whether the client's share of the channel has no room. */
  readonly full: boolean;
  /** Monotonic milliseconds. */
  readonly nowMs: number;
}

/** Decides time by time; all messages of one time share one decision. */
export class TimelineGate {
  readonly #rules: ThrottleRules;
  readonly #decisions: DecisionTable;
  readonly #dither: Dither;

  /**
   * Begins without any decision.
   *
   * @param rules `"corrected"`: beyond 1024 decisions the oldest is forgotten; `"rerun"`: the one on the
   * smallest time, which tears the frames of a timeline that starts again at 0
   * @param due what the {@linkcode Dither} begins with
   */
  constructor(rules: ThrottleRules, due = 0) {
    this.#rules = rules;
    this.#decisions = new DecisionTable(rules === "rerun" ? "smallest" : "oldest");
    this.#dither = new Dither(rules, due);
  }

  /** The decision taken on this time before, if it still holds. */
  recall(time: bigint, { acceptRate, nowMs }: Circumstances): Verdict | undefined {
    const at = this.#decisions.find(time);
    if (at < 0) return undefined;
    const verdict = this.#decisions.verdict(at);
    if (this.#rules === "rerun") return verdict;
    const ageMs = nowMs - this.#decisions.decidedMs(at);
    const holdMs = acceptRate === 1 && verdict !== "send" ? HOLD_MS : RENEW_MS;
    if (ageMs <= holdMs) return verdict;
    this.#decisions.forget(at);
    return undefined;
  }

  /** Decides on a time on which {@linkcode recall} knows nothing. */
  decide(time: bigint, { acceptRate, full, nowMs }: Circumstances): Verdict {
    const verdict = full ? "overflow" : this.#dither.next(acceptRate) ? "send" : "throttled";
    this.#decisions.add(time, verdict, nowMs);
    return verdict;
  }
}
