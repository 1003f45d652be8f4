/**
 * Files that a program holds for as long as it runs, by a lock of the kernel (`flock`). By such a
 * file another program sees that the holder runs, also where it may not look at processes, as most
 * programs on Deno may not.
 *
 * Not on Windows, where nobody else could read a file that is locked so.
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
 * @returns a function that gives it up; `undefined` if it can't be held, or another program holds
 * it
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

/**
 * @returns a function that gives it up; `false` if another program has it, `undefined` where there
 * are no such locks
 */
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
  // By number: a `FileHandle` that is collected with a sink that nobody closed would end the
  // program, see `bun_files.ts`.
  const fd = await promisify(open)(path, "r+");
  const release = () => promisify(close)(fd);
  if (Number(flock(fd, EXCLUSIVE_NOW)) === 0) return release;
  await release();
  return false;
}
