/**
 * Sends to one target with retries and a rate limit, and counts and logs what happens: shared by
 * both kinds of forwarders.
 *
 * @module
 */
import { type Clock, SYSTEM_CLOCK } from "../base/clock.ts";
import { reason } from "../base/errors.ts";
import { limitedLog } from "../base/limited_log.ts";
import type { Log } from "../base/log.ts";
import { addTo, newTally, type Tally } from "../base/tally.ts";
import type { FollowedFiles } from "../sinks/file/parts/follower.ts";
import { CatchUpGarbage } from "./_catch_up_garbage.ts";
import { type Cursor, DONE } from "./cursor.ts";
import type { ForwardStats } from "./counts.ts";
import { Outage } from "./outage.ts";
import { pause, RateLimit } from "./_rate_limit.ts";
import { type ForwardTarget, TargetRefused } from "./target.ts";
import type { TargetBackoff } from "./backoff.ts";
import { FileUnreadable } from "./_unreadable_now.ts";
import { plural } from "../base/plural.ts";
import { UntilAborted } from "../base/until_aborted.ts";

/** What is refused for the same reason is told once in so many milliseconds. */
const REFUSALS_MS = 60_000;

/** How long a target may go on once it was told to end, in milliseconds. */
const END_MS = 5000;

/** Limits and sources of time and chance of a forwarder. */
export interface ForwarderOptions {
  /** Bytes of messages a second at most; default no limit. */
  readonly maxBytesPerSec?: number;
  /**
   * Bytes of messages that are in memory at once, of all files together; default 64 MiB. A message
   * that is longer than a batch of the target and than a sixteenth of this does not count: one such
   * message at a time is held in addition.
   */
  readonly maxHeldBytes?: number;
  /** Collects all garbage, called while what waited is sent; default: nothing does but the runtime. */
  readonly collectGarbage?: () => void;
  /** From 0 to 1, below 1; default `Math.random`. */
  readonly random?: () => number;
  /** Milliseconds since the Unix epoch; default `Date.now`. */
  readonly date?: Clock["date"];
}

/** How much waits to be sent, as far as the forwarder knows. */
export interface Lag {
  /** Bytes on the disk. */
  readonly bytes: number;
  /**
   * Since when the oldest of them has waited, in milliseconds of the clock; `undefined` if nothing
   * waits.
   */
  readonly oldest: number | undefined;
}

/** What of a cursor is used here. */
type CursorParts = Pick<Cursor, "lost" | "forget" | "files" | "placeOf">;

/** How much is sent at once. */
export interface Weight extends Readonly<Tally> {
  /** Whether it was still in memory from being written; left out, it was read from the disk. */
  readonly isLive?: boolean;
}

/** Sends to one target, again and again until it accepts or refuses. */
export class Delivery {
  /** Its signal ends all that is under way. */
  readonly stopping = new AbortController();
  /** Aborted when a target that was told to end is not waited for any more. */
  readonly #ending = new AbortController();
  readonly #untilEnd = new UntilAborted(this.#ending.signal);
  #callOff = () => {};
  readonly #name: string;
  readonly #cursor: CursorParts;
  readonly #log: Log;
  readonly #timer: Clock["timer"];
  readonly #now: Clock["now"];
  readonly #date: Clock["date"];
  readonly #outage: Outage;
  readonly #rate: RateLimit;
  readonly #garbage: CatchUpGarbage;
  /** What an SDK logs that the target has no form for comes for as long as that SDK logs. */
  readonly #refusals: Log;
  readonly #sent = newTally();
  readonly #refused = newTally();
  readonly #dropped = newTally();
  #lastAckMs: number | undefined;
  #isStopped = false;

  /**
   * @param name of the target
   * @param files clock and log
   * @param cursor keeps what never reaches the target
   * @param options limits, randomness
   */
  constructor(
    name: string,
    { log, now, timer }: FollowedFiles,
    cursor: CursorParts,
    options: ForwarderOptions,
  ) {
    const { random = Math.random, date = SYSTEM_CLOCK.date, maxBytesPerSec = Infinity } = options;
    const { collectGarbage = () => {} } = options;
    this.#name = name;
    this.#cursor = cursor;
    this.#log = log;
    this.#timer = timer;
    this.#now = now;
    this.#date = date;
    this.#outage = new Outage({ name, log, now, random, timer });
    this.#rate = new RateLimit(maxBytesPerSec, now, timer);
    this.#garbage = new CatchUpGarbage(collectGarbage, now);
    this.#refusals = limitedLog(log, now, { windowMs: REFUSALS_MS, by: "why" });
  }

  /** Whether nothing more is sent, because the target refused for good or the program ends. */
  get isOver(): boolean {
    return this.#isStopped || this.stopping.signal.aborted;
  }

  /** Whether the target accepts messages, as far as is known. */
  get isWorking(): boolean {
    return this.#outage.since === undefined && !this.#isStopped;
  }

  /** Counts and state of the target. */
  stats({ bytes, oldest }: Lag): ForwardStats {
    const { since, error } = this.#outage;
    const seconds = (from: number | undefined) =>
      from === undefined ? 0 : Math.max(0, this.#now() - from) / 1000;
    return {
      target: this.#name,
      sent: { ...this.#sent },
      refused: { ...this.#refused },
      dropped: { ...this.#dropped },
      lagBytes: bytes,
      lagSec: seconds(oldest),
      ...(this.#lastAckMs === undefined ? {} : { lastAckMs: this.#lastAckMs }),
      outageSec: seconds(since),
      ...(error === undefined ? {} : { error }),
      isStopped: this.#isStopped,
    };
  }

  /**
   * Sends something until the target accepts or refuses it.
   *
   * @param weight how many messages and bytes it counts as, and whether it is just being logged
   * @param send one try
   * @param left aborted when it need not be sent any more; what is under way then goes on
   * @returns why the target refused it; `undefined` if it was accepted
   * @throws the reason of `stopping` or of `left`, once that is aborted
   * @throws {FileUnreadable} if the file can't be read now
   */
  async deliver(
    weight: Weight,
    send: (signal: AbortSignal) => Promise<void>,
    left: AbortSignal,
  ): Promise<TargetRefused | undefined> {
    const { signal } = this.stopping;
    for (;;) {
      await this.#rate.take(weight.bytes, left);
      await this.#outage.turn(left);
      try {
        await this.#untilEnd.wait(Promise.resolve(send(signal)));
        this.worked();
        addTo(this.#sent, weight);
        this.#collect(weight);
        return undefined;
      } catch (error) {
        if (signal.aborted) throw error;
        if (error instanceof TargetRefused) {
          this.#outage.gaveUp();
          return error;
        }
        if (error instanceof FileUnreadable) {
          this.#outage.gaveUp();
          throw error;
        }
        this.#outage.failed(error);
      }
    }
  }

  /** To be called when the target has acknowledged something, be it all of a batch or not. */
  worked(): void {
    this.#outage.worked();
    this.#lastAckMs = this.#date();
  }

  /**
   * Asks a target that can be asked whether it would take something, again and again until it says so or
   * the program ends. Never rejects.
   */
  async check(target: Pick<ForwardTarget, "check">): Promise<void> {
    const { signal } = this.stopping;
    while (target.check !== undefined && !this.isOver) {
      try {
        await this.#outage.turn(signal);
        await target.check(signal);
        return this.#outage.worked();
      } catch (error) {
        if (!signal.aborted) this.#outage.failed(error);
      }
    }
  }

  /** What was accepted stays accepted, and is not sent again, though a collection failed. */
  #collect({ bytes, isLive = false }: Weight): void {
    try {
      this.#garbage.sent(bytes, isLive);
    } catch (error) {
      const text = `Garbage can't be collected (collectGarbage): ${reason(error)}`;
      this.#log.write("warn", text, { target: this.#name, kind: "forward garbage" });
    }
  }

  /** Counts and logs a message that the target refused. */
  refused(weight: Readonly<Tally>, error: TargetRefused): void {
    const what = `A message of ${plural(weight.bytes, "byte")}`;
    this.#refuse(this.#refusals, what, weight, error);
  }

  /** Counts and logs a file that the target refused. */
  refusedFile(file: string, weight: Readonly<Tally>, error: TargetRefused): void {
    this.#refuse(this.#log, file, weight, error);
  }

  #refuse(log: Log, what: string, weight: Readonly<Tally>, error: TargetRefused): void {
    addTo(this.#refused, weight);
    this.#cursor.lost("refused", weight, this.#date());
    const why = reason(error);
    const text = `${what} is not forwarded to ${this.#name}: ${why}`;
    log.write("warn", text, { target: this.#name, why, kind: "forward refused" });
  }

  /** Counts and logs messages that were removed from the disk before they were sent. */
  dropped(file: string, weight: Readonly<Tally>, had: string): void {
    addTo(this.#dropped, weight);
    this.#cursor.lost("dropped", weight, this.#date());
    const { messages, bytes } = weight;
    const text =
      `${file} made room before ${this.#name} had ${had}: ${plural(messages, "message")} ` +
      `(${
        plural(bytes, "byte")
      }) will not be forwarded; more --keep-size, or --on-forward-behind keep`;
    this.#log.write("warn", text, {
      ...{ path: file, target: this.#name, messages, bytes, kind: "forward dropped" },
    });
  }

  /**
   * Forgets the places in files that are not there any more: they were removed while nothing was
   * forwarded to this target, and how much it did not have of them stood in them alone.
   *
   * @param ids of the files that are there
   */
  known(ids: ReadonlySet<string>): void {
    let files = 0;
    for (const id of [...this.#cursor.files]) {
      if (ids.has(id)) continue;
      if (this.#cursor.placeOf(id) !== DONE) files++;
      this.#cursor.forget(id);
    }
    if (files === 0) return;
    const text = `${plural(files, "file")} of which ${this.#name} may not have had all were ` +
      "removed while nothing was forwarded there";
    this.#log.write("warn", text, { target: this.#name, kind: "forward dropped" });
  }

  /** Logs which files are never sent, because the index of the recordings names none of them. */
  strangers(names: readonly string[]): void {
    const others = names.length === 1 ? "" : `, and ${names.length - 1} more like it,`;
    const text =
      `${names[0]}${others} is not forwarded to ${this.#name}: the index beside it does not ` +
      "name it, so it was copied there, or the index was lost; rrd replay sends it";
    this.#log.write("warn", text, { path: names[0], target: this.#name, kind: "not forwarded" });
  }

  /** Logs that the rest of a file can't be read, and keeps how much that is. */
  unreadable(file: string, weight: Readonly<Tally>, error: unknown): void {
    this.#cursor.lost("unreadable", weight, this.#date());
    const text = `The rest of ${file} can't be forwarded to ${this.#name}: ${reason(error)}; ` +
      "see rrd verify";
    this.#log.write("error", text, { path: file, target: this.#name, kind: "not forwarded" });
  }

  /** Stops sending until the program is started again. */
  stop(error: TargetRefused): void {
    this.#isStopped = true;
    const text = `Nothing is forwarded to ${this.#name} any more: ${reason(error)}`;
    this.#log.write("error", text, { target: this.#name, kind: "forward stopped" });
  }

  /**
   * Waits before a file is read once more that can't be read now, and tells it the first time.
   *
   * @param file name of it
   * @param backoff of it
   * @param error with which reading it failed
   * @param left aborted when it need not be read any more, or the program ends
   */
  async waitUntilReadable(
    file: string,
    backoff: TargetBackoff,
    error: unknown,
    left: AbortSignal,
  ): Promise<void> {
    if (backoff.failures === 0) {
      const text = `${file} can't be read now, and is forwarded to ${this.#name} once it can be: ` +
        reason(error);
      this.#log.write("warn", text, { path: file, target: this.#name, kind: "forward waits" });
    }
    await pause(backoff.failed(), this.#timer, left);
  }

  /** Ends what is under way, and cancels timers. */
  close(): void {
    if (this.stopping.signal.aborted) return;
    this.stopping.abort(new Error("the program ends"));
    this.#outage.close();
    this.#callOff = this.#timer(END_MS, () => {
      const text =
        `${this.#name} did not end within ${END_MS / 1000} s, and is left alone: what it ` +
        "has not acknowledged is sent at the next start";
      this.#log.write("warn", text, { target: this.#name, kind: "forward end" });
      this.#ending.abort(new Error(text));
    });
  }

  /** Closes the target, once nothing is under way. Never rejects: a program's own may do anything. */
  async closeTarget(target: Pick<ForwardTarget, "close">): Promise<void> {
    try {
      await this.#untilEnd.wait(Promise.resolve(target.close()));
    } catch {
      // It is not used any more.
    }
    this.#callOff();
  }
}
