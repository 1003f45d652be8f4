/**
 * The recordings in a folder.
 *
 * @module
 */
import type { Dirent } from "node:fs";
import { lstat, readdir, stat } from "node:fs/promises";
import { InputError } from "./input.ts";
import { codeOf, mayBeNotUtf8, pathText } from "./system_text.ts";

/** The recordings in a folder and in the folders below. */
export interface RecordingFolder {
  /** Paths of `.rrd` and `.rbl` files, in order; other systems may write them in capitals. */
  readonly files: readonly string[];
  /** How many files are being written, or were left unfinished. */
  readonly unfinished: number;
  /** How many files are originals of recovered ones. */
  readonly setAside: number;
  /** Folders in it that can't be read, such as `lost+found`, which is root's alone. */
  readonly unread: readonly InputError[];
  /** Recordings and folders whose names are not UTF-8, which JavaScript can't open. */
  readonly unnamed: readonly InputError[];
}

/**
 * Looks for recordings; links to folders are not followed, for they may form a circle. Pipes and
 * devices are passed over: to open one may wait for ever.
 *
 * @param folder its path
 * @throws {InputError} if the folder itself can't be read
 */
export async function recordingsIn(folder: string): Promise<RecordingFolder> {
  const files: string[] = [];
  const unread: InputError[] = [];
  const unnamed: InputError[] = [];
  let [unfinished, setAside] = [0, 0];
  const waiting = [folder];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    for (const entry of await entriesOf(path, folder, unread)) {
      const inside = `${path.replace(/\/+$/, "")}/${entry.name}`;
      const failure = await nameFailure(entry, inside);
      if (failure !== undefined) unnamed.push(failure);
      else if (entry.isDirectory()) waiting.push(inside);
      else if (!await mayBeRead(entry, inside)) continue;
      else if (/\.(rrd|rbl)$/i.test(entry.name)) files.push(inside);
      else if (/\.(rrd|rbl)\.(part|new)$/.test(entry.name)) unfinished++;
      else if (/\.(rrd|rbl)\.damaged$/.test(entry.name)) setAside++;
    }
  }
  return { files: files.sort(), unfinished, setAside, unread, unnamed };
}

async function entriesOf(path: string, folder: string, unread: InputError[]): Promise<Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (cause) {
    const error = new InputError(path, pathText(path, cause), cause);
    if (path === folder) throw error;
    unread.push(error);
    return [];
  }
}

/** The error of a recording, or a folder, that is there and can't be asked for by its name. */
async function nameFailure(entry: Dirent, path: string): Promise<InputError | undefined> {
  if (!mayBeNotUtf8(entry.name)) return undefined;
  if (!entry.isDirectory() && !/\.(rrd|rbl)$/i.test(entry.name)) return undefined;
  const cause = await lstat(path).then(() => undefined, (error) => error);
  return codeOf(cause) === "ENOENT"
    ? new InputError(path, pathText(path, cause), cause)
    : undefined;
}

/** Whether it is a file, or a link that does not lead to something else. */
async function mayBeRead(entry: Dirent, path: string): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isFile();
  return await stat(path).then((found) => found.isFile(), () => true);
}
