/**
 * A log that peers cannot flood.
 *
 * @module
 */
import type { Clock } from "./clock.ts";
import { type Log, LOG_LEVELS, type LogFields, type LogLevel } from "./log.ts";

/**
 * How many lines of one kind are written in a second, or another window; of traces all, for whoever
 * asks for them wants all.
 */
const PER_WINDOW: Readonly<Record<LogLevel, number>> = {
  error: 1,
  warn: 1,
  info: 100,
  debug: 100,
  trace: Infinity,
};

/**
 * How many kinds are counted apart: they are words of this program, so there are few. All further
 * kinds share one.
 */
const MAX_KINDS = 200;

/** The lines of one kind, counted for a while from the first of them. */
interface Window {
  readonly since: number;
  count: number;
  suppressed: number;
  last: string;
}

/** A log that only counts the lines of a kind once it has written enough of them. */
export interface LimitedLog extends Log {
  /**
   * Writes how many lines were held back in windows that are over.
   *
   * @param all also in the windows that are not over yet
   */
  flush(all?: boolean): void;
}

/** What a limited log counts, and for how long. */
export interface LogWindow {
  /** Milliseconds for which lines are counted; default 1000. */
  readonly windowMs?: number;
  /** The field by which lines are alike; default `kind`. */
  readonly by?: string;
}

/**
 * Writes of each `kind` one warning or error a second, and a hundred other lines; the rest is counted.
 *
 * How many were held back stands in the next line of that kind, or in a line of its own.
 *
 * @param log where lines go
 * @param now monotonic clock in milliseconds
 * @param window another time than a second, and another field than `kind`
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { limitedLog } from "./limited_log.ts";
 *
 * const lines: string[] = [];
 * const log = { enabled: () => true, write: (_: string, text: string) => void lines.push(text) };
 * let now = 0;
 * const limited = limitedLog(log, () => now);
 * for (let i = 0; i < 1000; i++) limited.write("warn", "refused", { kind: "refused" });
 * now = 1000;
 * limited.flush();
 * assertEquals(lines, ["refused", "999 more like the last one: refused"]);
 * ```
 */
export function limitedLog(log: Log, now: Clock["now"], window?: LogWindow): LimitedLog {
  if (log instanceof Limited && window === undefined) return log;
  return new Limited(log, now, window);
}

class Limited implements LimitedLog {
  readonly #log: Log;
  readonly #now: Clock["now"];
  readonly #windowMs: number;
  readonly #by: string;
  readonly #windows = new Map<string, Window>();

  constructor(log: Log, now: Clock["now"], { windowMs = 1000, by = "kind" }: LogWindow = {}) {
    this.#log = log;
    this.#now = now;
    this.#windowMs = windowMs;
    this.#by = by;
  }

  enabled(level: LogLevel): boolean {
    return this.#log.enabled(level);
  }

  write(level: LogLevel, message: string, fields?: LogFields): void {
    const kind = fields?.[this.#by];
    if (typeof kind !== "string" || !this.enabled(level)) {
      return this.#log.write(level, message, fields);
    }
    const key = this.#key(level, kind);
    const known = this.#windows.get(key);
    const now = this.#now();
    if (known !== undefined && now - known.since < this.#windowMs) {
      if (known.count++ < PER_WINDOW[level]) return this.#log.write(level, message, fields);
      known.suppressed++;
      known.last = message;
      return;
    }
    const suppressed = known?.suppressed ?? 0;
    this.#windows.set(key, { since: now, count: 1, suppressed: 0, last: "" });
    if (suppressed === 0) return this.#log.write(level, message, fields);
    this.#log.write(level, `${message} (and ${suppressed} more like this)`, {
      ...fields,
      suppressed,
    });
  }

  #key(level: LogLevel, kind: string): string {
    const key = `${level} ${kind}`;
    return this.#windows.has(key) || this.#windows.size < MAX_KINDS ? key : `${level} other`;
  }

  flush(all = false): void {
    const now = this.#now();
    for (const [key, { since, suppressed, last }] of this.#windows) {
      if (!all && now - since < this.#windowMs) continue;
      this.#windows.delete(key);
      if (suppressed === 0) continue;
      const space = key.indexOf(" ");
      const level = LOG_LEVELS.find((level) => level === key.slice(0, space))!;
      const text = `${suppressed} more like the last one: ${last}`;
      this.#log.write(level, text, { [this.#by]: key.slice(space + 1), suppressed });
      // Open the window again, or every flush would write another summary.
      if (!all) this.#windows.set(key, { since: now, count: 1, suppressed: 0, last: "" });
    }
  }
}
