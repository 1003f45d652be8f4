/**
 * Standard error shared by log lines, which stay, and one status line below them, which is redrawn.
 *
 * @module
 */

/** Where lines go. */
export interface Screen {
  /** Writes a line that stays. */
  line(text: string): void;
  /** Shows this on the status line; `undefined` takes the line away. */
  status(text: string | undefined): void;
}

// Back to the first column, then erase to the end of the line.
const CLEAR = "\r\x1b[K";

/**
 * A screen on a terminal or a pipe.
 *
 * @param write takes text for standard error
 */
export function screen(write: (text: string) => void): Screen {
  let shown: string | undefined;
  return {
    line(text) {
      // One write, so that no other program's output comes in between.
      write(shown === undefined ? `${text}\n` : `${CLEAR}${text}\n${shown}`);
    },
    status(text) {
      if (text === shown) return;
      write(`${CLEAR}${text ?? ""}`);
      shown = text;
    },
  };
}
