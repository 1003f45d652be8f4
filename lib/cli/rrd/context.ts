/**
 * What the `rrd` commands are given to work with.
 *
 * @module
 */
import type { FileAdapter } from "../../adapters/files/types.ts";
import type { ProcessAdapter } from "../../adapters/process/types.ts";
import type { CliProcess } from "../process.ts";
import type { ClosedFiles } from "./closed_files.ts";
import type { Progress } from "./progress.ts";
import type { Unfinished } from "./unfinished.ts";

/** What the commands share: streams, files, options of the process. */
export interface RrdContext {
  readonly process: CliProcess;
  readonly files: FileAdapter;
  /** Tells whether another program writes an output. */
  readonly processes: ProcessAdapter;
  readonly progress: Progress;
  readonly unfinished: Unfinished;
  /** Checks of files against what was noted of them; absent if none are made. */
  readonly closedFiles?: ClosedFiles;
}
