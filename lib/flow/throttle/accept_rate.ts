/**
 * How large a share of the messages to accept, from how late they are.
 *
 * The rules, and their arithmetic in 32-bit floats, are those of the Rerun server of 0.9 to 0.22.
 *
 * @module
 */
import { valueText } from "../../base/check_options.ts";
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";

/**
 * Which rules decide what to drop: `"rerun"` those of the Rerun server, decision for decision,
 * `"corrected"` the same with its mistakes repaired.
 */
export type ThrottleRules = "corrected" | "rerun";

/** All sets of rules. */
export const THROTTLE_RULES: readonly ThrottleRules[] = ["corrected", "rerun"];

const f32 = Math.fround;

/**
 * The lowest accept rate. If less were accepted, nothing would come by which to notice that the
 * receiver has recovered.
 */
export const MIN_ACCEPT_RATE: number = f32(0.01);

/**
 * How many seconds one latency may count for at most. Otherwise one bad latency after a pause of 10
 * s would take the rate from 1 to its minimum, though nothing is known of these 10 s.
 */
const MAX_STEP_SEC = 1;

const LOG_INTERVAL_SEC = 1;

/**
 * The accept rate after one more latency was seen; every step is rounded to a 32-bit float.
 *
 * @param rate the accept rate so far, 0.01 to 1
 * @param latencySec in seconds
 * @param maxLatencySec in seconds
 * @param stepSec time since the latency before, in seconds
 */
export function nextAcceptRate(
  rate: number,
  latencySec: number,
  maxLatencySec: number,
  stepSec: number,
): number {
  const good = latencySec < maxLatencySec;
  // Before any arithmetic: an infinite maximum would give NaN.
  if (rate === 1 && (good || maxLatencySec === Infinity)) return 1;
  const distance = f32(Math.abs(f32(latencySec - maxLatencySec)) / maxLatencySec);
  const change = good
    ? f32(f32(distance * stepSec) / 25)
    : -f32(f32(clamp(distance, 0.5, 2) * stepSec) / 5);
  return clamp(f32(rate + change), MIN_ACCEPT_RATE, 1);
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}

/**
 * A duration as a 32-bit float, rounded as Rust's `Duration::as_secs_f32` rounds it.
 *
 * @param nanos whole nanoseconds
 */
export function secondsFromNanos(nanos: number): number {
  const rest = nanos % 1e9;
  return f32(f32((nanos - rest) / 1e9) + f32(f32(rest) / f32(1e9)));
}

/**
 * A latency as a 32-bit float, rounded as the Rerun server's channel rounds its whole nanoseconds.
 *
 * @param latencySec in seconds; returned itself where it is a 32-bit float already
 */
export function latencyAsF32(latencySec: number): number {
  return f32(latencySec) === latencySec
    ? latencySec
    : f32(f32(Math.round(latencySec * 1e9)) / f32(1e9));
}

/** Options of {@linkcode AcceptRate}. */
export interface AcceptRateOptions {
  /** The latency aimed at, in seconds. */
  readonly maxLatencySec: number;
  /** How the time between two latencies counts. */
  readonly rules: ThrottleRules;
  /** Monotonic milliseconds. */
  readonly now: Clock["now"];
  /** Where the share that is dropped is written, at most once a second. */
  readonly log: Log;
}

/** Keeps the accept rate of one client. */
export class AcceptRate {
  readonly #options: AcceptRateOptions;
  readonly #maxLatencySec: number;
  #value = 1;
  #lastMs: number;
  #lastLogMs: number;

  /** Begins at 1: everything is accepted. */
  constructor(options: AcceptRateOptions) {
    this.#options = options;
    this.#maxLatencySec = f32(options.maxLatencySec);
    this.#lastMs = this.#lastLogMs = options.now();
  }

  /** The share to accept: 0.01 to 1, a 32-bit float. */
  get value(): number {
    return this.#value;
  }

  /** Monotonic milliseconds at the last {@linkcode update}. */
  get updatedMs(): number {
    return this.#lastMs;
  }

  /**
   * Takes the latency of now.
   *
   * @param latencySec in seconds, 0 or more
   */
  update(latencySec: number): void {
    const nowMs = this.#options.now();
    const stepSec = seconds(nowMs - this.#lastMs);
    this.#lastMs = nowMs;
    const before = this.#value;
    const latency = latencyAsF32(latencySec);
    this.#value = nextAcceptRate(
      before,
      latency,
      this.#maxLatencySec,
      this.#options.rules === "corrected" ? Math.min(stepSec, MAX_STEP_SEC) : stepSec,
    );
    if (before === 1 && this.#value === 1) return;
    if (seconds(nowMs - this.#lastLogMs) <= LOG_INTERVAL_SEC) return;
    this.#lastLogMs = nowMs;
    const percent = (100 * (1 - this.#value)).toFixed(2);
    this.#options.log.write(
      "debug",
      `Currently dropping ${percent}% of messages to keep latency low`,
      { acceptRate: this.#value, latencySec },
    );
  }
}

function seconds(ms: number): number {
  return secondsFromNanos(Math.max(0, Math.round(ms * 1e6)));
}

/**
 * Refuses a maximum latency that is not above 0.
 *
 * @param maxLatencySec in seconds; a value that becomes 0 as a 32-bit float, as it is in the
 * arithmetic, is refused too
 * @throws {RangeError} if it is not
 */
export function checkMaxLatency(maxLatencySec: number): void {
  if (typeof maxLatencySec === "number" && Math.fround(maxLatencySec) > 0) return;
  throw new RangeError(
    `maxLatencySec must be above 0 seconds, or Infinity to drop nothing, not ${
      valueText(maxLatencySec)
    }`,
  );
}
