/**
 * The identity of this box: a random id in a file beside its recordings. With it two boxes of one
 * name, or a copied disk, are noticed.
 *
 * @module
 */
import { createAnew, isFileThere } from "../adapters/files/only_files.ts";
import type { FileAdapter } from "../adapters/files/types.ts";
import { reason } from "../base/errors.ts";
import { type Log, silentLog } from "../base/log.ts";
import { FolderSync } from "../sinks/file/parts/folder_sync.ts";
import { isId } from "../nats/headers.ts";

/** The name of the file. */
export const BOX_FILE = ".rerelay-box.json";

const MAX_BYTES = 4096;

/** Options of {@linkcode boxIdentity}. */
export interface BoxIdentityOptions {
  readonly newId?: () => string;
  readonly log?: Log;
}

/**
 * Reads the id; if there is none, makes and writes a new one.
 *
 * @param folder of the recordings, with the separator at its end; empty for the current one
 * @param adapter reads and writes the file
 * @param options how a new id is made, by default at random, and who is told where the name of its
 * file may not outlive a power cut
 * @throws {Error} if the file exists but has no valid id, or something else has its name: it is not
 * overwritten
 */
export async function boxIdentity(
  folder: string,
  adapter: FileAdapter,
  { newId = () => crypto.randomUUID(), log = silentLog }: BoxIdentityOptions = {},
): Promise<string> {
  const path = folder + BOX_FILE;
  if (await isFileThere(adapter, path)) return await readIdentity(path, adapter);
  const instance = newId();
  if (folder !== "") await adapter.makeFolder(folder.replace(/[/\\]+$/, "") || folder);
  const file = await createAnew(adapter, `${path}.new`, adapter);
  try {
    await file.write(new TextEncoder().encode(`${JSON.stringify({ box: instance })}\n`));
    await file.sync();
  } finally {
    await file.close();
  }
  await adapter.rename(`${path}.new`, path);
  await new FolderSync(folder, adapter, true, log).sync();
  return instance;
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
