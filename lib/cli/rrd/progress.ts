/**
 * A progress bar on a terminal, nothing elsewhere.
 *
 * @module
 */
import { type Clock, SYSTEM_CLOCK } from "../../base/clock.ts";
import { escapeText } from "../../base/escape.ts";
import { screen } from "../terminal/screen.ts";
import type { CliProcess } from "../process.ts";
import { formatBytes } from "../terminal/units.ts";

/** How often the bar is redrawn, in milliseconds. */
const EVERY_MS = 100;
const BAR = 24;

/** How far a command is. */
export interface Progress {
  /** Begins the next file, of `total` bytes if that is known. */
  start(path: string, total: number | undefined): void;
  /** Counts bytes that were read. */
  add(bytes: number): void;
  /** Writes a line to standard error, above the bar. */
  line(text: string): void;
  /** Removes the bar. */
  done(): void;
}

/**
 * A bar on standard error if that is a terminal that can redraw a line.
 *
 * @param process has the terminal
 * @param writesLines whether the command writes lines while it reads: on a terminal these show the
 * progress
 */
export function progress(
  process: CliProcess,
  writesLines: boolean,
  now: Clock["now"] = SYSTEM_CLOCK.now,
): Progress {
  const isBusy = writesLines && process.isOutputTerminal;
  if (isBusy || !process.isTerminal || process.env("TERM") === "dumb") {
    return { start() {}, add() {}, line: (text) => void process.stderr(`${text}\n`), done() {} };
  }
  // No line of a command may be left out.
  const display = screen((text) => process.stderr(text), { maxWaiting: Infinity });
  let name = "";
  let total: number | undefined;
  let bytes = 0;
  let shownAt = -Infinity;
  return {
    start(path, size) {
      [name, total, bytes] = [path, size, 0];
    },
    add(more) {
      bytes += more;
      if (now() - shownAt < EVERY_MS) return;
      shownAt = now();
      display.status(progressLine(name, bytes, total, process.columns()));
    },
    line: (text) => display.line(text),
    done: () => display.status(undefined),
  };
}

/** One line, not as wide as the terminal. */
export function progressLine(
  name: string,
  bytes: number,
  total: number | undefined,
  columns: number,
): string {
  const share = total === undefined ? undefined : Math.min(1, bytes / total);
  const filled = Math.round((share ?? 0) * BAR);
  const figures = share === undefined
    ? formatBytes(bytes)
    : `[${"#".repeat(filled)}${"-".repeat(BAR - filled)}] ${Math.floor(share * 100)} % of ${
      formatBytes(total!)
    }`;
  return `${figures}  ${escapeText(name, 200)}`.slice(0, Math.max(0, columns - 1));
}
