/**
 * The identity of this box: a random id in a file beside its recordings. With it two boxes of one
 * name, or a copied disk, are noticed.
 *
 * @module
 */
import { createAnew, isFileThere } from "../adapters/files/only_files.ts";
import type { FileAdapter, WritableFile } from "../adapters/files/types.ts";
import { type Clock, SYSTEM_CLOCK } from "../base/clock.ts";
import { FileExists, reason } from "../base/errors.ts";
import { type Log, silentLog } from "../base/log.ts";
import { FolderSync } from "../sinks/file/parts/folder_sync.ts";
import { isId } from "../nats/headers.ts";

/** The name of the file. */
export const BOX_FILE = ".rerelay-box.json";

/** Follows its name until it is whole. */
const UNFINISHED = ".new";
/** How often one that somebody else has begun is looked at before it counts as left behind. */
const LOOKS = 50;
/** Milliseconds between two looks. */
const LOOK_MS = 20;
const MAX_BYTES = 4096;

/** Options of {@linkcode boxIdentity}. */
export interface BoxIdentityOptions {
  readonly newId?: () => string;
  readonly log?: Log;
  readonly delay?: Clock["delay"];
}

/**
 * Reads the id; if there is none, makes and writes a new one.
 *
 * @param folder of the recordings, with the separator at its end; empty for the current one
 * @param adapter reads and writes the file
 * @param options how a new id is made, by default at random, who is told where the name of its file may
 * not outlive a power cut, and a clock
 * @throws {Error} if the file exists but has no valid id, or something else has its name: it is not
 * overwritten
 */
export async function boxIdentity(
  folder: string,
  adapter: FileAdapter,
  { newId = () => crypto.randomUUID(), log = silentLog, delay = SYSTEM_CLOCK.delay }:
    BoxIdentityOptions = {},
): Promise<string> {
  const path = folder + BOX_FILE;
  if (await isFileThere(adapter, path)) return await readIdentity(path, adapter);
  const instance = newId();
  if (folder !== "") await adapter.makeFolder(folder.replace(/[/\\]+$/, "") || folder);
  const file = await begin(path, adapter, delay);
  if (file === undefined) return await readIdentity(path, adapter);
  try {
    await file.write(new TextEncoder().encode(`${JSON.stringify({ box: instance })}\n`));
    await file.sync();
  } finally {
    await file.close();
  }
  await adapter.rename(path + UNFINISHED, path);
  await new FolderSync(folder, adapter, true, log).sync();
  return instance;
}

/**
 * Begins the file under another name, for one alone of several servers that save in this folder: else each
 * of them would have an id, and all but one another than the next start reads.
 *
 * @returns `undefined` where another server has made it
 */
async function begin(
  path: string,
  adapter: FileAdapter,
  delay: Clock["delay"],
): Promise<WritableFile | undefined> {
  for (let looks = 0; looks < LOOKS; looks++) {
    const file = await adapter.create(path + UNFINISHED, "new").catch((error) => {
      if (error instanceof FileExists) return undefined;
      throw error;
    });
    if (!await isFileThere(adapter, path)) {
      if (file !== undefined) return file;
      await delay(LOOK_MS);
      continue;
    }
    if (file !== undefined) {
      await file.close();
      await adapter.remove(path + UNFINISHED);
    }
    return undefined;
  }
  // Who began it was killed meanwhile.
  return await createAnew(adapter, path + UNFINISHED, adapter);
}

async function readIdentity(path: string, adapter: FileAdapter): Promise<string> {
  const file = await adapter.openAt(path);
  try {
    const bytes = new Uint8Array(Math.min(file.size, MAX_BYTES));
    const length = await file.readAt(0, bytes);
    const { box } = JSON.parse(new TextDecoder().decode(bytes.subarray(0, length)));
    if (typeof box === "string" && isId(box)) return box;
    throw new Error("it has no id");
  } catch (error) {
    throw new Error(
      `${path} should hold the id of this box: ${reason(error)}. Remove it, and it gets a new one`,
    );
  } finally {
    await file.close();
  }
}
