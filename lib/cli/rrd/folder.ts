/**
 * The recordings in a folder.
 *
 * @module
 */
import { readdir } from "node:fs/promises";
import { InputError } from "./input.ts";
import { systemText } from "./system_text.ts";

/** The recordings in a folder and in the folders below. */
export interface RecordingFolder {
  /** Paths of `.rrd` and `.rbl` files, in order. */
  readonly files: readonly string[];
  /** How many files are being written, or were left unfinished. */
  readonly unfinished: number;
  /** How many files are originals of recovered ones. */
  readonly setAside: number;
}

/**
 * Looks for recordings; links to folders are not followed, for they may form a circle.
 *
 * @param folder its path
 * @throws {InputError} if a folder can't be read
 */
export async function recordingsIn(folder: string): Promise<RecordingFolder> {
  const files: string[] = [];
  let [unfinished, setAside] = [0, 0];
  const waiting = [folder];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const name = path;
    const entries = await readdir(path, { withFileTypes: true }).catch((cause) => {
      throw new InputError(name, systemText(cause), cause);
    });
    for (const entry of entries) {
      const inside = `${path.replace(/\/+$/, "")}/${entry.name}`;
      if (entry.isDirectory()) waiting.push(inside);
      else if (/\.(rrd|rbl)$/.test(entry.name)) files.push(inside);
      else if (/\.(rrd|rbl)\.(part|new)$/.test(entry.name)) unfinished++;
      else if (/\.(rrd|rbl)\.damaged$/.test(entry.name)) setAside++;
    }
  }
  return { files: files.sort(), unfinished, setAside };
}
