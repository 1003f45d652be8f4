/**
 * Reads recordings behind the writer, to do something with them.
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
  /** The name of the pattern, with its braces: what followers keep beside the files begins so. */
  readonly name: string;
  /** Reads them, and writes what followers keep. */
  readonly adapter: FileAdapter;
  /** Where failures are reported. */
  readonly log: Log;
  /**
   * What becomes of the files.
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
   * Begins: joins the journal before the first file is known.
   *
   * @throws whatever makes it useless
   */
  open(files: FollowedFiles): Promise<void>;
  /** All files are closed: it may do what it can until the signal, and ends. Never rejects. */
  close(signal: AbortSignal): Promise<void>;
}
