/**
 * Where recordings go, before anything is made there: links are followed, folders made, other programs
 * kept out.
 *
 * @module
 */
import type { FileAdapter } from "../../adapters/files/types.ts";
import type { ProcessAdapter } from "../../adapters/process/types.ts";
import { FileExists } from "../../base/errors.ts";
import { drainingThere, noteDraining } from "./parts/draining_lock.ts";
import { lockSaving } from "./parts/save_lock.ts";
import { parseSavePattern, type SavePattern } from "./save_pattern.ts";

/** A place that is ready to be written to. */
export interface SavePlace {
  readonly pattern: SavePattern;
  readonly adapter: FileAdapter;
  /** Whether it is a device or a pipe, and no file. */
  readonly isDevice: boolean;
  readonly unlock: () => Promise<void>;
  /** Who writes there, in the index; absent where nobody looks. */
  readonly writer?: string;
  /** Programs that gave the lock up and still write there, as the index calls them. */
  readonly draining: ReadonlySet<string>;
  /** Gives the lock up for one that says that this program writes on; absent where that can't be. */
  readonly handOver?: () => Promise<void>;
}

/**
 * Where a path leads: a file is called what the last link says, and locked there.
 *
 * @param path of `--save`
 * @param force whether a file that is there is replaced
 * @param adapter follows links
 * @throws {FileExists} if the file is there, or a device, without `force`
 */
export async function resolveSavePath(
  path: string,
  force: boolean,
  adapter: FileAdapter,
): Promise<{ readonly pattern: SavePattern; readonly isDevice: boolean }> {
  const given = parseSavePattern(path);
  if (given.placeholders.size > 0) return { pattern: given, isDevice: false };
  let kind = await adapter.kind(path);
  const real = kind === "other" ? await adapter.realPath(path) : path;
  if (real !== path) kind = await adapter.kind(real);
  if (kind !== undefined && !force) throw new FileExists(path);
  // No placeholder: what a link leads to is taken as it is.
  const [, folder = "", name = ""] = /^(.*[/\\])?([^/\\]*)$/s.exec(real) ?? [];
  return { pattern: { ...given, folder, name }, isDevice: kind === "other" };
}

/**
 * Goes there.
 *
 * @param path of `--save`
 * @param force whether a file that is there is replaced
 * @param adapter whose files they are
 * @param processes tells whether another program saves there; nobody looks without it
 * @throws {FileExists} if the file is there and `force` is not set
 * @throws {SaveLocked} if another program saves under the same name
 * @throws whatever the runtime says of a folder that can't be made
 */
export async function takeSavePlace(
  path: string,
  force: boolean,
  adapter: FileAdapter,
  processes: ProcessAdapter | undefined,
): Promise<SavePlace> {
  const { pattern, isDevice } = await resolveSavePath(path, force, adapter);
  const { folder, name } = pattern;
  if (folder !== "") await adapter.makeFolder(folder);
  const place = { pattern, adapter, isDevice, draining: new Set<string>() };
  // A device or pipe may stand where no lock can be made.
  if (processes === undefined || isDevice) return { ...place, unlock: () => Promise.resolve() };
  const writer = await processes.identity(processes.pid);
  const locked = { ...place, ...(writer === undefined ? {} : { writer }) };
  let unlock = await lockSaving(folder + name, adapter, processes);
  // One file has one name, which a second program could not have.
  if (pattern.placeholders.size === 0) return { ...locked, unlock };
  try {
    const draining = await drainingThere(pattern, adapter, processes);
    const handOver = async () => {
      // In this order nobody ever finds neither.
      const unnote = await noteDraining(pattern, adapter, processes);
      await unlock();
      unlock = unnote;
    };
    return { ...locked, draining, handOver, unlock: () => unlock() };
  } catch (error) {
    await unlock();
    throw error;
  }
}
