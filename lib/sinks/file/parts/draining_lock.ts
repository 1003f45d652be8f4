/**
 * Lets a second program save under a pattern while the first one still writes its last files there:
 * the first one exchanges the pattern's lock for one of its own, which shows that it is alive.
 *
 * @module
 */
import type { FileAdapter } from "../../../adapters/files/types.ts";
import type { ProcessAdapter } from "../../../adapters/process/types.ts";
import type { PartIndex } from "./part_index.ts";
import { holderOf, isHeld, LOCK_SUFFIX, noteRunning } from "./save_lock.ts";

/** Stands between the pattern's name and the process id in the name of such a lock. */
const DRAINING = ".draining-";

/** Where files of a pattern are. */
export interface PatternPlace {
  /** The folder, with the separator at its end. */
  readonly folder: string;
  readonly name: string;
}

/**
 * Notes that this program goes on writing under a pattern whose lock it is about to give up.
 *
 * @returns a function that takes the note away, and never rejects
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
 * Hands a place over to the next program, which from then on removes surplus files and recovers
 * what earlier runs left.
 *
 * @param place the place; it may be one that can't be handed over
 * @param index of the pattern
 * @param stopTidying makes this program stop touching files of earlier runs, and resolves then
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
 * Finds programs that still write under a pattern without its lock, and takes away the notes of
 * those that have ended. Only the holder of the lock may call it.
 *
 * @returns their identities
 */
export async function drainingThere(
  { folder, name }: PatternPlace,
  files: FileAdapter,
  processes: ProcessAdapter,
): Promise<Set<string>> {
  const alive = new Set<string>();
  const start = name + DRAINING;
  for (const found of await files.list(folder)) {
    if (!found.startsWith(start) || !found.endsWith(LOCK_SUFFIX)) continue;
    if (!/^\d+$/.test(found.slice(start.length, -LOCK_SUFFIX.length))) continue;
    // A folder or the like is somebody else's.
    if (await files.kind(folder + found) !== "file") continue;
    const holder = await holderOf(folder + found, files);
    if (holder !== undefined && await isHeld(folder + found, holder, processes)) alive.add(holder);
    else await files.remove(folder + found).catch(() => {});
  }
  return alive;
}
