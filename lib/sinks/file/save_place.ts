/**
 * Prepares the place where recordings go, before any file is made: follows links, makes folders,
 * and keeps other programs out.
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
  /** Our identity, for the index; absent if no other programs are looked at. */
  readonly writer?: string;
  /** Identities of programs that gave up the lock and still write there. */
  readonly draining: Set<string>;
  /** Whether a program of that identity runs; absent if no other programs are looked at. */
  readonly isRunning?: (identity: string) => Promise<boolean>;
  /**
   * Exchanges the lock for a note that this program still writes here; absent if that is not
   * possible.
   */
  readonly handOver?: () => Promise<void>;
}

/**
 * Finds where a path leads through links: the file gets its name, and its lock, there.
 *
 * @param path of `--save`
 * @param force whether a file that is there is replaced
 * @param adapter files to look at
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
  // The target of a link is taken as it is, without placeholders.
  const [, folder = "", name = ""] = /^(.*[/\\])?([^/\\]*)$/s.exec(real) ?? [];
  return { pattern: { ...given, folder, name }, isDevice: kind === "other" };
}

/**
 * Takes the place: finds it, makes its folders, and locks it.
 *
 * @param path of `--save`
 * @param force whether a file that is there is replaced
 * @param adapter files to look at and to make folders with
 * @param processes tells whether another program saves there; left out, that is not looked at
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
  // A device or pipe may be where no lock file can be made.
  if (processes === undefined || isDevice) return { ...place, unlock: () => Promise.resolve() };
  const writer = await processes.identity(processes.pid);
  const isRunning = async (identity: string) =>
    await processes.identity(parseInt(identity)) === identity;
  const locked = { ...place, isRunning, ...(writer === undefined ? {} : { writer }) };
  let unlock = await lockSaving(folder + name, adapter, processes);
  // A pattern without placeholders has one name, which can't be handed over.
  if (pattern.placeholders.size === 0) return { ...locked, unlock };
  try {
    const draining = await drainingThere(pattern, adapter, processes);
    const handOver = async () => {
      // In this order other programs always find one of the two.
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
