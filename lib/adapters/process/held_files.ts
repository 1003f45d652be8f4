/**
 * Files that a program holds for as long as it runs, by a lock of the kernel: whoever may not ask for
 * processes, as most programs on Deno may not, sees by it that the program is there.
 *
 * On Windows nobody else could read a file that is locked so, and nobody is asked there.
 *
 * @module
 */
import { close, open } from "node:fs";
import process from "node:process";
import { promisify } from "node:util";
import { cFunctions } from "./c_library.ts";

/** What `flock` is told: exclusive, and without waiting. */
const EXCLUSIVE_NOW = 2 | 4;

/**
 * Holds a file until this program ends.
 *
 * @param path of a file that is there
 * @returns gives it up; `undefined` where it can't be held, or another one holds it
 */
export async function holdFile(path: string): Promise<(() => Promise<void>) | undefined> {
  return await tryLock(path).catch(() => undefined) || undefined;
}

/**
 * Whether a program that runs holds a file.
 *
 * @param path of the file
 * @returns `undefined` where that can't be seen
 */
export async function isFileHeld(path: string): Promise<boolean | undefined> {
  try {
    const release = await tryLock(path);
    if (release === undefined) return undefined;
    if (release === false) return true;
    await release();
    return false;
  } catch {
    return undefined;
  }
}

/** @returns gives it up; `false` if another one has it, `undefined` where there are no such locks */
async function tryLock(path: string): Promise<(() => Promise<void>) | false | undefined> {
  if (process.platform === "win32") return undefined;
  if ("Bun" in globalThis) return await tryLockBun(path);
  const file = await Deno.open(path, { read: true, write: true });
  const release = () => Promise.resolve(file.close());
  try {
    if (await file.tryLock(true)) return release;
  } catch (error) {
    await release();
    throw error;
  }
  await release();
  return false;
}

async function tryLockBun(path: string): Promise<(() => Promise<void>) | false> {
  const { flock } = cFunctions({ flock: { parameters: ["i32", "i32"], result: "i32" } });
  // A number, no FileHandle: one that is collected with a sink that nobody closed ends the program.
  const fd = await promisify(open)(path, "r+");
  const release = () => promisify(close)(fd);
  if (Number(flock(fd, EXCLUSIVE_NOW)) === 0) return release;
  await release();
  return false;
}
