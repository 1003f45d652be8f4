/**
 * Where log lines go: passed in, so that embedders and tests decide.
 *
 * @module
 */
import { shown } from "./error_base.ts";
import { escapeText } from "./escape.ts";

/** The levels of Rerun's own log, the most urgent first. */
export const LOG_LEVELS: readonly ["error", "warn", "info", "debug", "trace"] = [
  "error",
  "warn",
  "info",
  "debug",
  "trace",
];

/** How urgent a line is: one of {@linkcode LOG_LEVELS}. */
export type LogLevel = typeof LOG_LEVELS[number];

/** Machine-readable parts of a log line. */
export type LogFields = Readonly<Record<string, string | number | bigint | boolean | undefined>>;

/**
 * Takes log lines.
 *
 * A field `kind` says what a line is about in a word of this program's own; lines that peers can
 * cause have one, and the server holds back those that come too often.
 */
export interface Log {
  /** Whether lines of this level are written at all; asked before a costly text is made. */
  enabled(level: LogLevel): boolean;
  /** Takes a line. */
  write(level: LogLevel, message: string, fields?: LogFields): void;
}

/**
 * A log that writes to `console`, down to a level; nothing a peer sent gets there unescaped.
 *
 * `console` waits while standard error takes nothing (a terminal held by Ctrl-S), and with it all
 * receiving: a program that must go on then passes a log of its own, as the command line does.
 *
 * @param level the least urgent level that is written
 * @throws {RangeError} if there is no such level
 *
 * @example
 * ```ts
 * import { consoleLog } from "@rerelay/server";
 * import { assertEquals } from "@std/assert";
 *
 * const log = consoleLog("warn");
 * assertEquals([log.enabled("error"), log.enabled("info")], [true, false]);
 * ```
 */
export function consoleLog(level: LogLevel = "info"): Log {
  if (!LOG_LEVELS.includes(level)) {
    throw new RangeError(`level must be one of ${LOG_LEVELS.join(", ")}, not ${shown(level)}`);
  }
  const least = LOG_LEVELS.indexOf(level);
  const enabled = (l: LogLevel) => LOG_LEVELS.indexOf(l) <= least;
  return {
    enabled,
    write(l, message) {
      // Standard output belongs to the program that embeds the server.
      if (!enabled(l)) return;
      try {
        (l === "error" ? console.error : console.warn)(escapeText(message));
      } catch {
        // Deno's throw where the disk that holds the log is full (`deno eval 'console.error(1)' 2>/dev/full`
        // ends with 1): what the line is about must go on.
      }
    },
  };
}

/** A log that writes nothing. */
export const silentLog: Log = { enabled: () => false, write: () => {} };
