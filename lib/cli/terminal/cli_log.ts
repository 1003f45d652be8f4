/**
 * Log lines for people and for machines.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { type Log, LOG_LEVELS, type LogFields, type LogLevel } from "../../base/log.ts";
import { escapeText } from "../../base/escape.ts";

/** How log lines are written. */
export interface CliLogOptions {
  /** The least urgent level that is written. */
  readonly level: LogLevel;
  /** One JSON object a line, text with the full time, or text with the time of day. */
  readonly format: "json" | "text" | "terminal";
  readonly color: boolean;
  /** Milliseconds since the Unix epoch. */
  readonly date: Clock["date"];
  /** Takes a line without its line feed. */
  readonly write: (line: string) => void;
}

/** Characters of a text in a JSON line: peers choose names of any length. */
const MAX_TEXT = 10_000;

/** Select Graphic Rendition codes, as Rerun's own log uses them. */
const COLORS: Readonly<Record<LogLevel, number>> = {
  error: 31,
  warn: 33,
  info: 32,
  debug: 34,
  trace: 36,
};

/**
 * A log over a line writer.
 *
 * Nothing a peer sent reaches the terminal unescaped.
 */
export function cliLog(options: CliLogOptions): Log {
  const least = LOG_LEVELS.indexOf(options.level);
  const enabled = (level: LogLevel) => LOG_LEVELS.indexOf(level) <= least;
  return {
    enabled,
    write(level, message, fields) {
      if (!enabled(level)) return;
      const time = new Date(options.date());
      options.write(
        options.format === "json"
          ? jsonLine(time, level, message, fields)
          : textLine(time, level, message, options),
      );
    },
  };
}

/**
 * The line for lines that are missing, written whatever the level: some of them were of a higher one.
 *
 * @param lines how many
 * @param options how lines are written
 */
export function leftOutLine(lines: number, options: Omit<CliLogOptions, "write">): string {
  const what = lines === 1 ? "1 log line is" : `${lines} log lines are`;
  const text = `${what} missing here: standard error did not take ${lines === 1 ? "it" : "them"}`;
  let line = "";
  const fields = { kind: "log left out", lines };
  cliLog({ ...options, level: "warn", write: (made) => line = made }).write("warn", text, fields);
  return line;
}

function textLine(time: Date, level: LogLevel, message: string, options: CliLogOptions): string {
  const paint = (code: number, text: string) =>
    options.color ? `\x1b[${code}m${text}\x1b[0m` : text;
  const name = paint(COLORS[level], level.toUpperCase().padEnd(5));
  const shown = escapeText(message);
  if (options.format === "terminal") {
    return `${paint(2, time.toTimeString().slice(0, 8))} ${name} ${shown}`;
  }
  const seconds = `${time.toISOString().slice(0, 19)}Z`;
  return `${paint(2, `[${seconds}`)} ${name} ${paint(2, "rerelay]")} ${shown}`;
}

function jsonLine(time: Date, level: LogLevel, message: string, fields: LogFields = {}): string {
  const line = { time: time.toISOString(), level, message };
  const text = JSON.stringify(
    { ...line, ...fields, ...line },
    // JSON has no bigint; a number may be rounded, a string is exact.
    (_, value) =>
      typeof value === "bigint"
        ? value.toString()
        : typeof value === "string"
        ? value.slice(0, MAX_TEXT)
        : value,
  );
  // JSON.stringify leaves C1 controls and direction changes as they are.
  return text.replaceAll(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (c) => [...Array(c.length).keys()].map((i) => unicodeEscape(c.charCodeAt(i))).join(""),
  );
}

function unicodeEscape(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, "0")}`;
}
