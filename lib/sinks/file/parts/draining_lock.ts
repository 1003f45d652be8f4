/**
 * Lets a second program save under a pattern while the first one still writes its last files there: the
 * first gives the pattern's lock up for one of its own, which says that it is alive.
 *
 * @module
 */
import type { FileAdapter } from "../../../adapters/files/types.ts";
import type { ProcessAdapter } from "../../../adapters/process/types.ts";
import type { PartIndex } from "./part_index.ts";
import { holderOf, isHeld, LOCK_SUFFIX, noteRunning } from "./save_lock.ts";

/** Between the pattern's name and the process id. */
const DRAINING = ".draining-";

/** Where files of a pattern are. */
export interface PatternPlace {
  /** With the separator at its end. */
  readonly folder: string;
  readonly name: string;
}

/**
 * Notes that this program writes on under a pattern whose lock it is about to give up.
 *
 * @returns takes the note away; never rejects
 * @throws whatever the runtime says of a file that can't be made
 */
export async function noteDraining(
  { folder, name }: PatternPlace,
  files: FileAdapter,
  processes: ProcessAdapter,
): Promise<() => Promise<void>> {
  const path = `${folder}${name}${DRAINING}${processes.pid}${LOCK_SUFFIX}`;
  return await noteRunning(path, files, processes);
}

/**
 * Gives a place up to the next program: it removes what is too many and recovers what earlier runs left.
 *
 * @param place may have nobody to give it up to
 * @param index of the pattern
 * @param stopTidying resolves when nothing of earlier runs is touched any more
 * @returns whether another program may save there now
 */
export async function handOver(
  place: { readonly handOver?: () => Promise<void> },
  index: PartIndex | undefined,
  stopTidying: () => Promise<void>,
): Promise<boolean> {
  if (place.handOver === undefined) return false;
  await stopTidying();
  index?.handOver();
  await place.handOver();
  return true;
}

/**
 * Programs that still write under a pattern without having its lock; to be called by who has it. Notes
 * of those that are gone are taken away.
 *
 * @returns their identities
 */
export async function drainingThere(
  { folder, name }: PatternPlace,
  files: FileAdapter,
  processes: ProcessAdapter,
): Promise<ReadonlySet<string>> {
  const alive = new Set<string>();
  const start = name + DRAINING;
  for (const found of await files.list(folder)) {
    if (!found.startsWith(start) || !found.endsWith(LOCK_SUFFIX)) continue;
    if (!/^\d+$/.test(found.slice(start.length, -LOCK_SUFFIX.length))) continue;
    const holder = await holderOf(folder + found, files);
    if (holder !== undefined && await isHeld(folder + found, holder, processes)) alive.add(holder);
    else await files.remove(folder + found).catch(() => {});
  }
  return alive;
}
