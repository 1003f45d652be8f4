/**
 * Followers: they read recordings behind the writer, to do something with them.
 *
 * @module
 */
import type { Clock } from "../../../base/clock.ts";
import type { FileAdapter } from "../../../adapters/files/types.ts";
import type { Log } from "../../../base/log.ts";
import type { PartJournal } from "./part_journal.ts";

/** What followers of one file sink work with. */
export interface FollowedFiles {
  /** The folder of all files, with the separator at its end; empty for the current one. */
  readonly folder: string;
  /**
   * The name of the pattern, with its braces: files that followers keep beside the recordings begin
   * with it.
   */
  readonly name: string;
  /** Files to read recordings from, and to keep what followers write. */
  readonly adapter: FileAdapter;
  /** Where failures are reported. */
  readonly log: Log;
  /**
   * Tells what becomes of the files.
   *
   * @internal
   */
  readonly journal: PartJournal;
  /** Monotonic milliseconds. */
  readonly now: Clock["now"];
  /** Calls back after so many milliseconds, once, and returns what calls that off. */
  readonly timer: Clock["timer"];
}

/** Reads what a file sink writes, from the files, and never keeps it waiting. */
export interface FileFollower {
  /** Names it in log lines. */
  readonly name: string;
  /**
   * Begins, and joins the journal before the first file is known.
   *
   * @throws {Error} if it can't work
   */
  open(files: FollowedFiles): Promise<void>;
  /**
   * Ends it, when all files are closed, or at once if the sink can't be opened, also where `open`
   * itself has failed: until the signal it may go on with what is left. Never rejects.
   */
  close(signal: AbortSignal): Promise<void>;
}
