/**
 * Decides which messages of one client to drop so that those that pass stay fresh.
 *
 * @module
 */
import { checkCallable, checkOptions, type OptionNames } from "../../base/check_arguments.ts";
import { type Clock, SYSTEM_CLOCK } from "../../base/clock.ts";
import type { ArrowMsg } from "../../encoding/arrow_msg.ts";
import { timepointOf } from "../../encoding/arrow/arrow_timepoint.ts";
import { InvalidMessage } from "../../base/errors.ts";
import { consoleLog, type Log } from "../../base/log.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import { TIME_STATIC, type TimelineTime } from "../../encoding/message_parts.ts";
import { checkChoice } from "../../base/check_options.ts";
import { AcceptRate, checkMaxLatency, THROTTLE_RULES, type ThrottleRules } from "./accept_rate.ts";
import type { Verdict } from "./_decision_table.ts";
import { type DropCounts, DropReport } from "./drop_counts.ts";
import { HOLD_MS } from "./timeline_gate.ts";
import { TimelineGates } from "./_timeline_gates.ts";

export type { DropCause, DropCounts } from "./drop_counts.ts";
export type { ThrottleRules } from "./accept_rate.ts";
export type { Verdict } from "./_decision_table.ts";

/** A timeline that SDKs add to all they log; each message has its own time on it. */
const LOG_TICK = "log_tick";

/**
 * Below this part of the maximum latency, and of the client's share, nothing is likely to be
 * dropped soon.
 */
const CALM = 1 / 4;

/** How a {@linkcode CongestionManager} works. */
export interface CongestionManagerOptions {
  /** The latency aimed at, in seconds, above 0; `Infinity`: nothing is ever dropped. */
  readonly maxLatencySec: number;
  /** Default `"corrected"`. */
  readonly rules?: ThrottleRules;
  /** Monotonic milliseconds; default `performance.now`. */
  readonly now?: Clock["now"];
  /** From 0 up to 1; default `Math.random`. */
  readonly random?: () => number;
  /** Default {@linkcode consoleLog}. */
  readonly log?: Log;
}

const NAMES: OptionNames<CongestionManagerOptions> = {
  ...{ maxLatencySec: true, rules: true, now: true, random: true, log: true },
};

/**
 * Decides which messages of one client to drop so that those that pass stay fresh.
 *
 * Frames are dropped whole: all messages of one time on a recording's first sequence timeline share one
 * decision. Store infos, blueprints, static data and messages of unknown kinds always pass. The rules
 * are those of the Rerun server of SDK 0.9 to 0.22, with these mistakes repaired, which `rules: "rerun"`
 * keeps: it accepts r/(1+r) of the frames instead of r, takes a single latency after a long pause for
 * one that lasted all the while, drops static data by chance, lets `log_tick` decide for timelines whose
 * names come after it, and forgets the smallest times first, not the oldest decisions.
 *
 * @example
 * ```ts
 * import { CongestionManager } from "@rerelay/server/flow";
 * import { assertEquals } from "@std/assert";
 *
 * let now = 0;
 * const congestion = new CongestionManager({ maxLatencySec: 0.2, now: () => now });
 * now = 1000;
 * congestion.registerLatency(0.6);
 * assertEquals(congestion.acceptRate, Math.fround(0.6));
 * ```
 */
export class CongestionManager {
  /** Whether a maximum latency is set; without one nothing is ever dropped. */
  readonly isBounded: boolean;
  readonly #maxLatencySec: number;
  readonly #rules: ThrottleRules;
  readonly #random: () => number;
  readonly #log: Log;
  readonly #rate: AcceptRate;
  readonly #gates: TimelineGates;
  readonly #drops: DropReport;
  #unreadable = 0;
  #isCalm = true;

  /**
   * Begins with everything accepted.
   *
   * @param options how it works
   * @throws {RangeError} if `maxLatencySec` is not above 0, or there are no such rules
   */
  constructor(options: CongestionManagerOptions) {
    checkOptions("CongestionManager", options, NAMES);
    checkCallable(options, ["now", "random"]);
    const { maxLatencySec, rules = "corrected", random = Math.random, log = consoleLog() } =
      options;
    checkMaxLatency(maxLatencySec);
    checkChoice("rules", rules, THROTTLE_RULES);
    const now = options.now ?? SYSTEM_CLOCK.now;
    this.isBounded = Math.fround(maxLatencySec) !== Infinity;
    this.#maxLatencySec = maxLatencySec;
    this.#rules = rules;
    this.#random = random;
    this.#log = log;
    this.#rate = new AcceptRate({ maxLatencySec, rules, now, log });
    this.#gates = new TimelineGates(rules, random);
    this.#drops = new DropReport(maxLatencySec, log);
  }

  /** The share of the frames to accept: 0.01 to 1, a 32-bit float. */
  get acceptRate(): number {
    return this.#rate.value;
  }

  /** What was dropped so far. */
  get dropped(): DropCounts {
    return this.#drops.counts;
  }

  /** How many messages had Arrow data in which no time point could be read; they pass as static data does. */
  get unreadable(): number {
    return this.#unreadable;
  }

  /**
   * Takes the client's latency of now; call it once for each packet batch, before its messages are judged.
   *
   * @param latencySec age of the client's oldest waiting message in seconds, 0 if none waits
   * @param filled how much of the client's share of the channel is taken, 0 to 1
   * @throws {RangeError} if `latencySec` is negative or NaN
   */
  registerLatency(latencySec: number, filled = 0): void {
    if (!(latencySec >= 0)) {
      throw new RangeError(`The latency must be 0 seconds or more, but is ${latencySec}`);
    }
    if (!this.isBounded) return;
    this.#rate.update(latencySec);
    const nowMs = this.#rate.updatedMs;
    this.#isCalm = this.acceptRate === 1 && latencySec < CALM * this.#maxLatencySec &&
      filled < CALM && nowMs - this.#drops.lastDropMs > HOLD_MS;
    if (this.acceptRate === 1) this.#drops.endDropping(nowMs);
  }

  /**
   * Whether to pass a message on; what is not is counted.
   *
   * @param msg the next message of the client
   */
  shouldSend(msg: LogMsg): boolean {
    return this.judge(msg) === "send";
  }

  /**
   * What to do with a message whose client's share of the channel may be full; a drop is counted.
   *
   * `"send"` although the share is full means that the message must not be dropped, and the client has to
   * wait: it is of a kind that is never dropped, or its frame has begun to pass. Say `full` a little before
   * the share is, so that frames that have begun find room.
   *
   * @param msg the next message of the client
   * @param full whether a new frame would be refused for want of room
   */
  judge(msg: LogMsg, full = false): Verdict {
    if (!this.isBounded || msg.kind !== "ArrowMsg") return "send";
    const verdict = this.#rules === "rerun"
      ? this.#judgeAsRerun(msg, full)
      : this.#judgeCorrected(msg, full);
    if (verdict !== "send") {
      this.#isCalm = false;
      this.#drops.count(verdict, msg.encoded?.bytes.length ?? 0, this.#rate.updatedMs);
    }
    return verdict;
  }

  /** The client has left: says how much was dropped, if dropping had not ended. */
  finish(): void {
    this.#drops.finish();
  }

  #judgeCorrected(msg: ArrowMsg, full: boolean): Verdict {
    if (msg.storeId.kind === "Blueprint") return "send";
    // Arrow data is not read to find a message's time while nothing is likely to be dropped soon.
    if (this.#isCalm && !full && msg.timepointMax === undefined) return "send";
    const times = this.#timepoint(msg).filter(({ time }) => time !== TIME_STATIC);
    if (times.length === 0 || msg.isStatic) return "send";
    const sequences = times.filter(({ type }) => type === "sequence");
    const frame = sequences.find(({ name }) => name !== LOG_TICK) ?? sequences[0];
    return frame ? this.#judgeFrame(msg, frame, full) : this.#judgeByChance(full);
  }

  /**
   * At an accept rate of 1 the Rerun server looks at nothing; only frames that were refused for
   * want of room stay refused.
   */
  #judgeAsRerun(msg: ArrowMsg, full: boolean): Verdict {
    const { value: acceptRate, updatedMs } = this.#rate;
    if (acceptRate === 1 && !full && updatedMs - this.#drops.lastDropMs > HOLD_MS) return "send";
    const times = this.#timepoint(msg);
    const isDroppable = msg.storeId.kind === "Recording" &&
      times.some(({ time }) => time !== TIME_STATIC);
    const frame = times.find(({ type }) => type === "sequence");
    return frame
      ? this.#judgeFrame(msg, frame, full && isDroppable)
      : this.#judgeByChance(full && isDroppable);
  }

  #judgeFrame(msg: ArrowMsg, { name, time }: TimelineTime, full: boolean): Verdict {
    const acceptRate = this.acceptRate;
    const gate = this.#gates.get(msg.storeId, name);
    const circumstances = { acceptRate, full, nowMs: this.#rate.updatedMs };
    const before = gate.recall(time, circumstances);
    if (before !== undefined) return before;
    if (this.#rules === "rerun" && acceptRate === 1 && !full) return "send";
    const verdict = gate.decide(time, circumstances);
    if ((acceptRate < 1 || full) && this.#log.enabled("trace")) {
      this.#log.write("trace", `Send ${name} ${time}: ${verdict === "send"}`);
    }
    return verdict;
  }

  #judgeByChance(full: boolean): Verdict {
    if (full) return "overflow";
    const acceptRate = this.acceptRate;
    return acceptRate === 1 || this.#random() < acceptRate ? "send" : "throttled";
  }

  #timepoint(msg: ArrowMsg): readonly TimelineTime[] {
    try {
      return timepointOf(msg);
    } catch (error) {
      if (!(error instanceof InvalidMessage)) throw error;
      if (++this.#unreadable === 1) {
        this.#log.write(
          "warn",
          `Messages without a readable time point are never dropped: ${error.message}`,
        );
      }
      return [];
    }
  }
}
