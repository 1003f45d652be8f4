/**
 * Exit codes of the command line, the same as in `--help`.
 *
 * @module
 */

/** Exit codes by meaning. */
export const EXIT = {
  /** All that was received was kept. */
  ok: 0,
  /** Could not start, or something was lost. */
  failed: 1,
  /** The command line is wrong; nothing was touched. */
  usage: 2,
  /** Stopped at once by a second signal: 128 + the signal's number, as shells report it. */
  signal: { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 },
} as const;
