/**
 * Keeps track of whether a target works: while it fails, only one sender tries it, with back-off.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import { reason } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { TargetBackoff } from "./backoff.ts";
import { TargetUnfit } from "./target.ts";

/** The name, the clock and the log of an outage. */
export interface OutageOptions {
  /** The name of the target in log lines. */
  readonly name: string;
  readonly log: Log;
  /** Monotonic milliseconds. */
  readonly now: Clock["now"];
  readonly random: () => number;
  /** Calls back after so many milliseconds, once, and returns what calls that off. */
  readonly timer: Clock["timer"];
}

/** Lets only one sender try a failing target, from time to time. */
export class Outage {
  readonly #options: OutageOptions;
  readonly #backoff: TargetBackoff;
  #since: number | undefined;
  #error: string | undefined;
  /** Whether it was told that somebody has to change something. */
  #isUnfitTold = false;
  /** Whether the pause after the last failure is over. */
  #isRested = true;
  #isTrying = false;
  #waiting: (() => void)[] = [];
  #callOff: (() => void) | undefined;

  /** @param options the target, clock and log */
  constructor(options: OutageOptions) {
    this.#options = options;
    this.#backoff = new TargetBackoff(options.random);
  }

  /** Since when the target has failed, in milliseconds of the clock; `undefined` while it works. */
  get since(): number | undefined {
    return this.#since;
  }

  /** Why the target fails. */
  get error(): string | undefined {
    return this.#error;
  }

  /**
   * Resolves when the caller may try the target.
   *
   * @param signal ends the waiting
   * @throws the signal's reason
   */
  async turn(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      if (this.#since === undefined) return;
      if (!this.#isTrying && this.#isRested) {
        this.#isTrying = true;
        return;
      }
      await this.#change(signal);
    }
  }

  /** To be called when the target accepted something. */
  worked(): void {
    const { name, log, now } = this.#options;
    this.#isTrying = false;
    this.#backoff.worked();
    if (this.#since === undefined) return;
    const seconds = Math.round((now() - this.#since) / 100) / 10;
    this.#since = undefined;
    this.#error = undefined;
    this.#isUnfitTold = false;
    log.write("info", `${name} takes messages again, after ${seconds} s`, {
      ...{ target: name, seconds, kind: "forward works" },
    });
    this.#wake();
  }

  /** To be called when the target failed, and is to be tried again. */
  failed(error: unknown): void {
    const { name, log, now, timer } = this.#options;
    // Requests that were under way when the outage began are part of the same failure.
    if (this.#since !== undefined && !this.#isTrying) return;
    this.#isTrying = false;
    const ms = this.#backoff.failed();
    this.#isRested = false;
    this.#error = reason(error);
    const isUnfit = error instanceof TargetUnfit;
    if (this.#since === undefined || isUnfit && !this.#isUnfitTold) {
      const text = `${name} takes nothing now, what is saved waits on the disk: ${reason(error)}`;
      log.write(isUnfit ? "error" : "warn", text, { target: name, kind: "forward fails" });
    }
    this.#since ??= now();
    this.#isUnfitTold ||= isUnfit;
    this.#callOff?.();
    this.#callOff = timer(ms, () => {
      this.#isRested = true;
      this.#wake();
    });
  }

  /** To be called when the caller of `turn` does not try after all. */
  gaveUp(): void {
    this.#isTrying = false;
    this.#wake();
  }

  /** Cancels the timer. */
  close(): void {
    this.#callOff?.();
    this.#wake();
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const go = () => {
        signal.removeEventListener("abort", go);
        resolve();
      };
      signal.addEventListener("abort", go);
      this.#waiting.push(go);
    });
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const go of waiting) go();
  }
}
