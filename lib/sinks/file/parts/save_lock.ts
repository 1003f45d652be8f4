/**
 * Keeps two programs from saving under one name: a file with the process id, taken over once that process
 * is gone.
 *
 * @module
 */
import { LimitedBytesTransformStream, toArrayBuffer } from "@std/streams";
import type { FileAdapter } from "../../../adapters/files/types.ts";
import type { ProcessAdapter } from "../../../adapters/process/types.ts";
import { FileExists, SaveLocked } from "../../../base/errors.ts";
import { isNameOf, parseSavePattern, type SavePattern } from "../save_pattern.ts";

/** Behind the pattern's name. */
export const LOCK_SUFFIX = ".lock";

const MAX_TRIES = 10;
/** Far more than a name of a process has. */
const MAX_LOCK_BYTES = 4096;

/**
 * Takes the lock of a pattern.
 *
 * @returns gives it back; never rejects
 * @throws {SaveLocked} if another program, or this one, saves under the same name
 */
export async function lockSaving(
  { folder, name }: SavePattern,
  files: FileAdapter,
  processes: ProcessAdapter,
): Promise<() => Promise<void>> {
  const path = folder + name + LOCK_SUFFIX;
  const own = `${await processes.identity(processes.pid)}\n`;
  for (let tries = 0;; tries++) {
    try {
      const file = await files.create(path, "new");
      try {
        await file.write(new TextEncoder().encode(own));
      } finally {
        await file.close();
      }
      return () => files.remove(path).catch(() => {});
    } catch (error) {
      if (!(error instanceof FileExists) || tries === MAX_TRIES) throw error;
      await removeStale(path, files, processes);
    }
  }
}

/**
 * Says which unfinished files another program is writing under another pattern.
 *
 * @param names what is in the pattern's folder
 */
export async function othersFiles(
  { folder, name }: SavePattern,
  names: readonly string[],
  files: FileAdapter,
  processes: ProcessAdapter,
): Promise<(name: string, suffix: string) => boolean> {
  const patterns: SavePattern[] = [];
  for (const lock of names) {
    if (!lock.endsWith(LOCK_SUFFIX) || lock === name + LOCK_SUFFIX) continue;
    const holder = await holderOf(folder + lock, files);
    if (!await isHeld(holder, processes)) continue;
    try {
      patterns.push(parseSavePattern(folder + lock.slice(0, -LOCK_SUFFIX.length)));
    } catch {
      // No lock of ours.
    }
  }
  return (name, suffix) => patterns.some((pattern) => isNameOf(pattern, name, suffix));
}

/** @throws {SaveLocked} if it is not stale */
async function removeStale(path: string, files: FileAdapter, processes: ProcessAdapter) {
  const holder = await holderOf(path, files);
  if (await isHeld(holder, processes)) throw new SaveLocked(path, parseInt(holder!));
  // Another program may have been faster: what was moved away must be what was looked at.
  const moved = `${path}.${processes.pid}`;
  try {
    await files.rename(path, moved);
  } catch {
    return;
  }
  if (await holderOf(moved, files) === holder) return await files.remove(moved);
  await files.rename(moved, path);
}

async function isHeld(holder: string | undefined, processes: ProcessAdapter): Promise<boolean> {
  const pid = parseInt(holder ?? "");
  return pid > 0 && await processes.identity(pid) === holder;
}

async function holderOf(path: string, files: FileAdapter): Promise<string | undefined> {
  try {
    const limit = new LimitedBytesTransformStream(MAX_LOCK_BYTES, { error: true });
    const bytes = await toArrayBuffer((await files.open(path)).pipeThrough(limit));
    return new TextDecoder().decode(bytes).trim();
  } catch {
    return undefined;
  }
}
