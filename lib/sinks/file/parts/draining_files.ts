/**
 * Watches files that an earlier program still writes after it gave up its pattern: followers are
 * told of them when the index says that they are closed.
 *
 * @module
 */
import type { Clock } from "../../../base/clock.ts";
import type { FileAdapter } from "../../../adapters/files/types.ts";
import type { ProcessAdapter } from "../../../adapters/process/types.ts";
import { reason } from "../../../base/errors.ts";
import type { Log } from "../../../base/log.ts";
import { drainingThere, type PatternPlace } from "./draining_lock.ts";
import { IndexFile } from "./_index_file.ts";
import type { FileLine } from "./_index_line.ts";
import { INDEX_SUFFIX } from "./part_index.ts";
import type { PartJournal } from "./part_journal.ts";
import { Ranges } from "./_ranges.ts";

/** How often the index is looked at, in milliseconds. */
const LOOK_MS = 2000;

/** Options of {@linkcode watchDrainingFiles}. */
export interface DrainingFilesOptions {
  readonly pattern: PatternPlace;
  readonly adapter: FileAdapter;
  readonly processes: ProcessAdapter | undefined;
  /** Identities of the programs that were draining when this one began. */
  readonly draining: ReadonlySet<string>;
  readonly journal: PartJournal;
  readonly log: Log;
  /** Calls back after so many milliseconds, once, and returns what calls that off. */
  readonly timer: Clock["timer"];
}

/**
 * Tells the journal of files that other programs close, until these programs have ended. Only the
 * holder of the pattern's lock may call it.
 *
 * @returns a function that ends the watch
 */
export function watchDrainingFiles(options: DrainingFilesOptions): () => void {
  const { pattern, adapter, processes, draining, journal, log, timer } = options;
  if (draining.size === 0 || processes === undefined) return () => {};
  // Files that were closed before are known to the journal, or were read to their end.
  const told = new Set<string>();
  const waiting = new Set([...journal.files].filter(isUnclosed).map(({ id }) => id));
  let isOver = false;
  let callOff = () => {};
  const look = async () => {
    // Looked at before the index: what a program that has ended by now closed is in the index then.
    const alive = await drainingThere(pattern, adapter, processes);
    const isLast = ![...draining].some((one) => alive.has(one));
    for (const { line, repeats } of await filesOf(draining, pattern, adapter)) {
      const { id } = line;
      if (isOver) return;
      if (told.has(id) || line.state !== "closed") continue;
      told.add(id);
      if (!waiting.delete(id)) journal.known(line, repeats);
      else {
        for (const [at, count] of repeats.runs) journal.repeats(id, at, count);
        journal.noted(line);
      }
      // Ready now, for the chunk index is made by the program that wrote the file, or at a later
      // start.
      journal.ready(id);
    }
    // Files of a program that crashed are recovered by the next start.
    if (isLast) { for (const id of waiting) journal.skipped(id); }
    return isLast;
  };
  const next = () => {
    callOff = timer(LOOK_MS, () => {
      void look().catch((error) => {
        const text = `What the draining server closes can't be seen: ${reason(error)}`;
        log.write("warn", text, { kind: "draining files" });
        return false;
      }).then((isLast) => void (isLast || isOver || next()));
    });
  };
  next();
  return () => {
    isOver = true;
    callOff();
  };
}

function isUnclosed({ state }: { readonly state: string }): boolean {
  return state === "left";
}

/** The files that some programs have begun, as the index says, with their repeated messages. */
async function filesOf(
  writers: ReadonlySet<string>,
  { folder, name }: PatternPlace,
  adapter: FileAdapter,
): Promise<{ readonly line: FileLine; readonly repeats: Ranges }[]> {
  const files = new Map<string, { line: FileLine; repeats: Ranges }>();
  for await (const line of new IndexFile(folder + name + INDEX_SUFFIX, adapter).lines()) {
    if (line.kind === "file" && (files.has(line.id) || (line.by && writers.has(line.by)))) {
      files.set(line.id, { line, repeats: files.get(line.id)?.repeats ?? new Ranges() });
    } else if (line.kind === "removed" && line.id !== undefined) files.delete(line.id);
    else if (line.kind === "repeats") files.get(line.id)?.repeats.add(line.at, line.count);
  }
  return [...files.values()];
}
