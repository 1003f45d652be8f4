/**
 * Keeps two programs from saving under one name, by a lock file with a process id, which is taken
 * over once that process has ended.
 *
 * @module
 */
import { SYSTEM_CLOCK } from "../../../base/clock.ts";
import { LimitedBytesTransformStream, toArrayBuffer } from "@std/streams";
import { createAnew, NotAFile } from "../../../adapters/files/only_files.ts";
import type { FileAdapter, WritableFile } from "../../../adapters/files/types.ts";
import type { ProcessAdapter } from "../../../adapters/process/types.ts";
import { FileExists, SaveLocked } from "../../../base/errors.ts";

/** Follows the pattern's name. */
export const LOCK_SUFFIX = ".lock";

const MAX_TRIES = 10;
/**
 * How often an empty lock file is looked at, and in which interval in milliseconds, before it
 * counts as left behind.
 */
const EMPTY_LOOKS = 10;
const EMPTY_MS = 20;
/** Bytes that are read of a lock file: far more than an identity of a process has. */
const MAX_LOCK_BYTES = 4096;

/**
 * Takes the lock of a file or pattern.
 *
 * @param place the path, without symbolic links
 * @param unfinished path of the output until it is whole: if we are killed, the program that takes
 * over the lock removes it
 * @returns a function that gives the lock back, and never rejects
 * @throws {SaveLocked} if another program, or this one, writes under the same name
 * @throws {NotAFile} if a folder, a pipe or the like has the name of the lock
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
  /** Why the lock of a process that has ended could not be removed. */
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
 * Holds a lock file that was just made, and writes our identity into it.
 *
 * @returns a function that gives it up and removes it, and never rejects
 */
async function heldWith(
  text: string,
  file: WritableFile,
  path: string,
  files: FileAdapter,
  processes: ProcessAdapter,
): Promise<() => Promise<void>> {
  // Held before it is written: a program that reads our identity then asks whether we hold it.
  const release = await processes.hold?.(path);
  try {
    await file.write(new TextEncoder().encode(text)).finally(() => file.close());
  } catch (error) {
    await givenUp(path, files, release);
    throw error;
  }
  return async () => {
    // Somebody may have removed it, so that it is another program's by now.
    const isOwn = await textOf(path, files) === text.trim();
    await givenUp(isOwn ? path : undefined, files, release);
  };
}

/** Removes the lock file before it is let go, so that nobody takes it for left behind. */
async function givenUp(
  path: string | undefined,
  files: FileAdapter,
  release: (() => Promise<void>) | undefined,
): Promise<void> {
  if (path !== undefined) await files.remove(path).catch(() => {});
  await release?.().catch(() => {});
}

/**
 * Notes in a file of its own that this program runs, in the form of a lock file.
 *
 * @returns a function that takes the note away, and never rejects
 * @throws whatever the runtime says of a file that can't be made
 */
export async function noteRunning(
  path: string,
  files: FileAdapter,
  processes: ProcessAdapter,
): Promise<() => Promise<void>> {
  const text = `${await processes.identity(processes.pid)}\n`;
  const file = await createAnew(files, path, files);
  return await heldWith(text, file, path, files, processes);
}

/**
 * Removes a stale lock.
 *
 * @returns why that failed: another program may have been faster, or the folder can't be changed
 * @throws {SaveLocked} if it is not stale
 * @throws {NotAFile} if it is no lock file: what somebody else put there is not moved
 */
async function removeStale(
  path: string,
  files: FileAdapter,
  processes: ProcessAdapter,
): Promise<unknown> {
  if (await files.kind(path) === "other") throw new NotAFile(path);
  let text = await textOf(path, files);
  // A program that has just made it is about to write into it.
  for (let looks = 0; text === "" && looks < EMPTY_LOOKS; looks++) {
    await SYSTEM_CLOCK.delay(EMPTY_MS);
    text = await textOf(path, files);
  }
  const [holder, unfinished = ""] = text?.split("\n") ?? [];
  if (await isHeld(path, holder, processes)) throw new SaveLocked(path, parseInt(holder!));
  // Moved away first, and compared: another program may have been faster and made a new lock.
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

/** The name of a command's output until it is whole, which no other file has. */
export function unfinishedName(path: string, random: string): string {
  return `${path}.${random}.part`;
}

function isUnfinished(name: string, base: string): boolean {
  return name.startsWith(`${base}.`) && /^[0-9a-f]{8}\.part$/.test(name.slice(base.length + 1));
}

function baseName(path: string): string {
  return path.replace(/^.*[/\\]/s, "");
}

/** The identity of the process that holds a lock, as the lock file says. */
export async function holderOf(path: string, files: FileAdapter): Promise<string | undefined> {
  return (await textOf(path, files))?.split("\n")[0];
}

/**
 * Whether the process that a lock names runs.
 *
 * @param path path of the lock, which shows whether it is held if processes can't be looked at
 * @param holder the identity in the lock file
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
  // Processes are asked first if they can be: some network drives have no locks of the kernel.
  const own = await processes.identity(processes.pid);
  const isAsked = isUnseen(holder!) || own !== undefined && isUnseen(own);
  return isAsked && await processes.isHeld?.(path) === true;
}

async function textOf(path: string, files: FileAdapter): Promise<string | undefined> {
  try {
    // To open a pipe would wait for whoever writes into it.
    if (await files.kind(path) !== "file") return undefined;
    const limit = new LimitedBytesTransformStream(MAX_LOCK_BYTES, { error: true });
    const bytes = await toArrayBuffer((await files.open(path)).pipeThrough(limit));
    return new TextDecoder().decode(bytes).trim();
  } catch {
    return undefined;
  }
}
