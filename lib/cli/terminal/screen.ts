/**
 * Standard error shared by log lines, which stay, and one status line below them, which is redrawn.
 *
 * It never blocks: while standard error takes nothing, the first lines are kept and the others
 * counted, and later the last status line is shown.
 *
 * @module
 */
import { plural } from "../../base/plural.ts";

/** Where lines go. */
export interface Screen {
  /** Writes a line that stays. */
  line(text: string): void;
  /** Sets the status line; `undefined` removes it. */
  status(text: string | undefined): void;
}

/** Options of {@linkcode screen}. */
export interface ScreenOptions {
  /**
   * Makes the line that tells of lines that were left out.
   *
   * @param lines how many
   */
  readonly leftOut?: (lines: number) => string;
  /** UTF-16 code units of lines that may wait; default 1,048,576. */
  readonly maxWaiting?: number;
}

// Goes to the first column, and erases to the end of the line.
const CLEAR = "\r\x1b[K";

/** Characters that may wait by default: more than is ever logged at once. */
const MAX_WAITING = 1024 * 1024;

/**
 * A screen on a terminal or a pipe.
 *
 * @param write writes text to standard error; may return a promise that resolves when the text is
 * written, to `false` if not all of it could be
 * @param options what is said of lines that were left out
 */
export function screen(
  write: (text: string) => unknown,
  { leftOut = leftOutText, maxWaiting = MAX_WAITING }: ScreenOptions = {},
): Screen {
  let shown: string | undefined;
  let wanted: string | undefined;
  let isBusy = false;
  let waiting: string[] = [];
  let waitingLength = 0;
  /** Lines that could not be written, or came while too much waited. */
  let lost = 0;

  /** Writes all in one call, so that no other program's output comes in between. */
  function draw(lines: readonly string[], count = lines.length): void {
    if (lines.length === 0 && wanted === shown) return;
    const text = lines.map((line) => `${line}\n`).join("");
    const clear = shown === undefined && lines.length > 0 ? "" : CLEAR;
    shown = wanted;
    const written = write(`${clear}${text}${shown ?? ""}`);
    if (!(written instanceof Promise)) return;
    isBusy = true;
    written.then((isWhole) => goOn(isWhole === false ? count : 0));
  }

  function goOn(failed: number): void {
    isBusy = false;
    const lines = waiting;
    const count = lines.length + lost + failed;
    const after = lost;
    waiting = [];
    waitingLength = lost = 0;
    if (failed > 0 && lines.length === 0) {
      // Told with the next line, for now it would fail again.
      lost = failed + after;
      return draw([]);
    }
    draw([
      ...(failed > 0 ? [leftOut(failed)] : []),
      ...lines,
      ...(after > 0 ? [leftOut(after)] : []),
    ], count);
  }

  return {
    line(text) {
      if (!isBusy) {
        const before = lost;
        lost = 0;
        return before === 0 ? draw([text]) : draw([leftOut(before), text], before + 1);
      }
      // After a line that was left out none is kept, so that there is one gap, which is told where
      // it is.
      if (lost > 0 || waitingLength + text.length > maxWaiting) return void lost++;
      waiting.push(text);
      waitingLength += text.length;
    },
    status(text) {
      wanted = text;
      if (!isBusy) draw([]);
    },
  };
}

function leftOutText(lines: number): string {
  return `(${plural(lines, "line")} missing here: standard error did not take them)`;
}
