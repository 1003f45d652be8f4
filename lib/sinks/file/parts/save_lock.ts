/**
 * Keeps two programs from saving under one name: a file with the process id, taken over once that process
 * is gone.
 *
 * @module
 */
import { SYSTEM_CLOCK } from "../../../base/clock.ts";
import { LimitedBytesTransformStream, toArrayBuffer } from "@std/streams";
import type { FileAdapter, WritableFile } from "../../../adapters/files/types.ts";
import type { ProcessAdapter } from "../../../adapters/process/types.ts";
import { FileExists, SaveLocked } from "../../../base/errors.ts";

/** Behind the pattern's name. */
export const LOCK_SUFFIX = ".lock";

const MAX_TRIES = 10;
/** An empty lock is looked at so often, after so many milliseconds, before it counts as left behind. */
const EMPTY_LOOKS = 10;
const EMPTY_MS = 20;
/** Far more than a name of a process has. */
const MAX_LOCK_BYTES = 4096;

/**
 * Takes the lock of a file or pattern.
 *
 * @param place its path, without links
 * @param unfinished the path that the file has until it is whole: if we are killed, whoever takes over
 * the lock removes it
 * @returns gives it back; never rejects
 * @throws {SaveLocked} if another program, or this one, writes under the same name
 */
export async function lockSaving(
  place: string,
  files: FileAdapter,
  processes: ProcessAdapter,
  unfinished?: string,
): Promise<() => Promise<void>> {
  const path = place + LOCK_SUFFIX;
  const identity = await processes.identity(processes.pid);
  const own = `${identity}\n${unfinished === undefined ? "" : `${baseName(unfinished)}\n`}`;
  /** Why the lock of a process that is gone could not be taken away. */
  let trouble: unknown;
  for (let tries = 0;; tries++) {
    try {
      const file = await files.create(path, "new");
      return await heldWith(own, file, path, files, processes);
    } catch (error) {
      if (!(error instanceof FileExists)) throw error;
      if (tries === MAX_TRIES) throw trouble ?? error;
      trouble = await removeStale(path, files, processes);
    }
  }
}

/**
 * Holds a file that was just made, and writes into it who we are.
 *
 * @returns gives it up, and removes it; never rejects
 */
async function heldWith(
  text: string,
  file: WritableFile,
  path: string,
  files: FileAdapter,
  processes: ProcessAdapter,
): Promise<() => Promise<void>> {
  // Before there is anything to read: whoever reads who we are asks whether we hold it.
  const release = await processes.hold?.(path);
  try {
    await file.write(new TextEncoder().encode(text));
  } catch (error) {
    await release?.();
    throw error;
  } finally {
    await file.close();
  }
  return () => givenUp(path, files, release);
}

/** Removed before it is let go: nobody may take it for left behind. */
async function givenUp(
  path: string,
  files: FileAdapter,
  release: (() => Promise<void>) | undefined,
): Promise<void> {
  await files.remove(path).catch(() => {});
  await release?.().catch(() => {});
}

/**
 * Notes in a file of its own that this program is there, as lock files do.
 *
 * @returns takes the note away; never rejects
 * @throws whatever the runtime says of a file that can't be made
 */
export async function noteRunning(
  path: string,
  files: FileAdapter,
  processes: ProcessAdapter,
): Promise<() => Promise<void>> {
  const text = `${await processes.identity(processes.pid)}\n`;
  const file = await files.create(path, "replace");
  return await heldWith(text, file, path, files, processes);
}

/**
 * Takes a stale lock away.
 *
 * @returns why that failed: another program may have been faster, or the folder can't be changed
 * @throws {SaveLocked} if it is not stale
 */
async function removeStale(
  path: string,
  files: FileAdapter,
  processes: ProcessAdapter,
): Promise<unknown> {
  let text = await textOf(path, files);
  // Whoever has just made it is about to write into it.
  for (let looks = 0; text === "" && looks < EMPTY_LOOKS; looks++) {
    await SYSTEM_CLOCK.delay(EMPTY_MS);
    text = await textOf(path, files);
  }
  const [holder, unfinished = ""] = text?.split("\n") ?? [];
  if (await isHeld(path, holder, processes)) throw new SaveLocked(path, parseInt(holder!));
  // Another program may have been faster: what was moved away must be what was looked at.
  const moved = `${path}.${processes.pid}`;
  try {
    await files.rename(path, moved);
  } catch (error) {
    return error;
  }
  if (await textOf(moved, files) !== text) {
    await files.rename(moved, path);
    return undefined;
  }
  const base = baseName(path).slice(0, -LOCK_SUFFIX.length);
  if (isUnfinished(unfinished, base)) {
    await files.remove(path.slice(0, -baseName(path).length) + unfinished).catch(() => {});
  }
  await files.remove(moved);
  return undefined;
}

/** What a command writes until it is whole: no other file is called so. */
export function unfinishedName(path: string, random: string): string {
  return `${path}.${random}.part`;
}

function isUnfinished(name: string, base: string): boolean {
  return name.startsWith(`${base}.`) && /^[0-9a-f]{8}\.part$/.test(name.slice(base.length + 1));
}

function baseName(path: string): string {
  return path.replace(/^.*[/\\]/s, "");
}

/** Who a lock says has it: the identity of a process. */
export async function holderOf(path: string, files: FileAdapter): Promise<string | undefined> {
  return (await textOf(path, files))?.split("\n")[0];
}

/**
 * Whether the process that a lock names runs.
 *
 * @param path of the lock, by which it is seen where processes can't be
 * @param holder its identity, as the lock has it
 */
export async function isHeld(
  path: string,
  holder: string | undefined,
  processes: ProcessAdapter,
): Promise<boolean> {
  const pid = parseInt(holder ?? "");
  if (!(pid > 0)) return false;
  if (await processes.identity(pid) === holder) return true;
  const { isUnseen = () => false } = processes;
  // Who sees processes needs no lock of the kernel, which some network drives do not have.
  const own = await processes.identity(processes.pid);
  const isAsked = isUnseen(holder!) || own !== undefined && isUnseen(own);
  return isAsked && await processes.isHeld?.(path) === true;
}

async function textOf(path: string, files: FileAdapter): Promise<string | undefined> {
  try {
    const limit = new LimitedBytesTransformStream(MAX_LOCK_BYTES, { error: true });
    const bytes = await toArrayBuffer((await files.open(path)).pipeThrough(limit));
    return new TextDecoder().decode(bytes).trim();
  } catch {
    return undefined;
  }
}
