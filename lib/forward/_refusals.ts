/**
 * Tells what a target refused without telling the same thing again and again: what an SDK logs that a
 * target has no form for comes many times a second, for as long as that SDK logs.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import { forgetOldest } from "../base/forget_oldest.ts";
import type { Log } from "../base/log.ts";
import { plural } from "../base/plural.ts";
import { addTo, newTally, type Tally } from "../base/tally.ts";

/** What is refused for the same reason is told once in so many milliseconds. */
const EVERY_MS = 60_000;
/** How many reasons are remembered. */
const MAX_REASONS = 16;

interface Told {
  atMs: number;
  /** What was refused for this reason since. */
  more: Tally;
}

/** What one target refused. */
export class Refusals {
  readonly #name: string;
  readonly #log: Log;
  readonly #now: Clock["now"];
  readonly #told = new Map<string, Told>();

  /**
   * @param name of the target
   * @param log gets a line for each reason, and once a minute one that counts what came since
   * @param now monotonic milliseconds
   */
  constructor(name: string, log: Log, now: Clock["now"]) {
    this.#name = name;
    this.#log = log;
    this.#now = now;
  }

  /**
   * Tells that something is refused, or counts it if the same was told a short while ago.
   *
   * @param what such as `A message of 20 bytes`, or the name of a file
   * @param weight how much that is
   * @param why the reason
   * @param like what was told under the same text is the same; default the reason
   */
  add(what: string, weight: Readonly<Tally>, why: string, like = why): void {
    const nowMs = this.#now();
    const told = this.#told.get(like);
    if (told !== undefined && nowMs - told.atMs < EVERY_MS) return addTo(told.more, weight);
    const more = told === undefined || told.more.messages === 0
      ? ""
      : `; neither were ${plural(told.more.messages, "message")} ` +
        `(${plural(told.more.bytes, "byte")}) since this was said last`;
    this.#told.set(like, { atMs: nowMs, more: newTally() });
    forgetOldest(this.#told, MAX_REASONS);
    const text = `${what} is not forwarded to ${this.#name}: ${why}${more}`;
    this.#log.write("warn", text, { target: this.#name, kind: "forward refused" });
  }
}
