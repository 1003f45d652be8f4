/**
 * Whether the stream of a server of NATS can be read, and what the log says of an outage.
 *
 * @module
 */
import { type Clock, SYSTEM_CLOCK } from "../base/clock.ts";
import { reason } from "../base/errors.ts";
import type { Log, LogLevel } from "../base/log.ts";
import { refusalOf } from "../nats/refusal.ts";

/**
 * A connection that is lost is told of after so many milliseconds: before, another server of the cluster
 * may take it.
 */
const TAKEOVER_MS = 2000;

/** How the connection of a feed is. */
export interface NatsReadingStats {
  /** Whether the stream can be read now. */
  readonly connected: boolean;
  /** Whether it could be read at any time. */
  readonly wasConnected: boolean;
  /** For how long it could not be read, in seconds; 0 while it can. */
  readonly outageSec: number;
}

/** Follows whether one stream can be read. */
export class NatsReading {
  readonly #name: string;
  readonly #log: Log;
  #now: Clock["now"] = SYSTEM_CLOCK.now;
  #isBegun = false;
  /** Since when the stream can't be read; `undefined` while it can, and before reading began. */
  #downMs: number | undefined;
  #wasConnected = false;
  /** What was told of the present outage, which begins when a connection that was there breaks. */
  #told: LogLevel | undefined;

  /**
   * @param name the address, without what is secret
   * @param log gets a line of each outage, and one of its end
   */
  constructor(name: string, log: Log) {
    this.#name = name;
    this.#log = log;
  }

  /** How the connection is now. */
  get stats(): NatsReadingStats {
    return {
      connected: this.#isBegun && this.#downMs === undefined,
      wasConnected: this.#wasConnected,
      outageSec: this.#downForMs / 1000,
    };
  }

  /**
   * Says that the stream is about to be read.
   *
   * @param now monotonic milliseconds
   */
  begin(now: Clock["now"]): void {
    this.#now = now;
    this.#isBegun = true;
    this.#downMs = now();
  }

  /** Says whether the stream can be read now. */
  changed(isReading: boolean): void {
    if (!isReading) {
      this.#downMs ??= this.#now();
      return;
    }
    if (this.#told !== undefined) {
      const seconds = Math.round(this.#downForMs / 100) / 10;
      this.#log.write("info", `Reads from ${this.#name} again, after ${seconds} s`, {
        ...{ nats: this.#name, seconds, kind: "nats reachable" },
      });
      this.#told = undefined;
    }
    this.#downMs = undefined;
    this.#wasConnected = true;
  }

  /**
   * Tells why a connection that was lost is not there again: once it has been away for longer than another
   * server of the cluster needs to take over, and once more if somebody has to change something.
   */
  tellLost(error: unknown): void {
    if (this.#downForMs < TAKEOVER_MS) return;
    const level = refusalOf(error) === undefined ? "warn" : "error";
    if (this.#told === level || this.#told === "error") return;
    this.#told = level;
    this.tellFailed("until it is there again", error);
  }

  /** Tells that nothing is read, until when, and why. */
  tellFailed(until: string, error: unknown): void {
    const refusal = refusalOf(error);
    const text = `Reads nothing from ${this.#name} ${until}: ${refusal ?? reason(error)}`;
    const level = refusal === undefined ? "warn" : "error";
    this.#log.write(level, text, { nats: this.#name, kind: "nats unreachable" });
  }

  get #downForMs(): number {
    return Math.max(0, this.#now() - (this.#downMs ?? this.#now()));
  }
}
