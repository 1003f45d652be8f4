/**
 * Files that an earlier run did not close: cut to their last whole message and given a name.
 *
 * @module
 */
import type { FileAdapter } from "../../../adapters/files/types.ts";
import { RrdDecoder } from "../../../encoding/rrd/rrd_decoder.ts";
import { reason } from "../../../base/errors.ts";
import type { Log } from "../../../base/log.ts";
import { PART_SUFFIX } from "../writer/rrd_writer.ts";
import { isNameOf, type SavePattern, siblingPath } from "../save_pattern.ts";

/** Names that are tried before giving up. */
const MAX_NUMBER = 100_000;

/** What recovering needs. */
export interface RecoverOptions {
  readonly pattern: SavePattern;
  readonly adapter: FileAdapter;
  readonly log: Log;
  /** Whether a name can be given to such a file. */
  readonly isFree: (name: string) => boolean;
}

/** A file that was finished. */
export interface RecoveredPart {
  /** Its new name, without its folder. */
  readonly name: string;
  readonly bytes: number;
}

/**
 * Finishes what an earlier run left.
 *
 * @param names what is in the pattern's folder
 * @returns those that were; a file that can't be finished is reported and left
 */
export async function recoverParts(
  names: readonly string[],
  options: RecoverOptions,
): Promise<RecoveredPart[]> {
  const recovered: RecoveredPart[] = [];
  for (const name of names) {
    if (!isNameOf(options.pattern, name, PART_SUFFIX)) continue;
    try {
      const free = (free: string) =>
        options.isFree(free) && !recovered.some(({ name }) => name === free);
      const kept = await recover(name, { ...options, isFree: free });
      if (kept !== undefined) recovered.push(kept);
    } catch (error) {
      const path = options.pattern.folder + name;
      const text = `${path}, left by an earlier run, could not be finished: ${reason(error)}`;
      options.log.write("error", text, { path });
    }
  }
  return recovered;
}

async function recover(
  name: string,
  { pattern, adapter, log, isFree }: RecoverOptions,
): Promise<RecoveredPart | undefined> {
  const path = pattern.folder + name;
  const { whole, size } = await wholeBytes(path, adapter);
  if (whole === 0) {
    await adapter.remove(path);
    log.write("warn", `Removed ${path}, left by an earlier run: no whole message is in it`, {
      path,
      bytes: size,
    });
    return undefined;
  }
  if (whole < size) {
    const file = await adapter.create(path, "append");
    try {
      await file.truncate(whole);
      await file.sync();
    } finally {
      await file.close();
    }
  }
  const first = name.slice(0, -PART_SUFFIX.length);
  const start = pattern.placeholders.size === 0 ? 2 : 1;
  const target = await freeName(
    first,
    start,
    async (name) => isFree(name) && await adapter.kind(pattern.folder + name) === undefined,
  );
  await adapter.rename(path, pattern.folder + target);
  const cut = whole < size
    ? `, without the last ${size - whole} bytes of an unfinished message`
    : "";
  log.write("warn", `Kept ${path}, left by an earlier run, as ${target}${cut}`, { path, target });
  return { name: target, bytes: whole };
}

async function freeName(
  first: string,
  start: number,
  isFree: (name: string) => Promise<boolean>,
): Promise<string> {
  for (let n = start; n < MAX_NUMBER; n++) {
    const name = n === 1 ? first : siblingPath(first, n);
    if (await isFree(name)) return name;
  }
  throw new Error(`no name is free from ${first} up to number ${MAX_NUMBER}`);
}

/** How far a file holds whole messages; 0 if it does not hold any. */
async function wholeBytes(
  path: string,
  adapter: FileAdapter,
): Promise<{ whole: number; size: number }> {
  const decoder = new RrdDecoder();
  let size = 0;
  let messages = 0;
  for await (const chunk of await adapter.open(path)) {
    size += chunk.length;
    messages += decoder.push(chunk).items.length;
  }
  return { whole: messages === 0 ? 0 : decoder.offset, size };
}
