/**
 * What the indexes in a folder say of the files beside them, for programs that only read them.
 *
 * @module
 */
import type { FileReadAdapter } from "../../../adapters/files/types.ts";
import type { FileLine } from "./_index_line.ts";
import { IndexFile } from "./_index_file.ts";
import { INDEX_SUFFIX } from "./part_index.ts";

export type { FileLine } from "./_index_line.ts";

/**
 * What was noted last of each file, by name.
 *
 * @param folder with the separator at its end
 * @param adapter files to read from; an index that can't be read is passed over
 */
export async function notedFiles(
  folder: string,
  adapter: FileReadAdapter,
): Promise<ReadonlyMap<string, FileLine>> {
  const noted = new Map<string, FileLine>();
  const names = await adapter.list(folder).catch(() => []);
  for (const name of names) {
    if (!name.endsWith(INDEX_SUFFIX)) continue;
    for (const [file, line] of await linesOf(folder + name, adapter)) {
      if (line === undefined) noted.delete(file);
      else noted.set(file, line);
    }
  }
  return noted;
}

/** The last line of each file that an index names; `undefined` for those that were removed. */
async function linesOf(
  path: string,
  adapter: FileReadAdapter,
): Promise<ReadonlyMap<string, FileLine | undefined>> {
  const lines = new Map<string, FileLine | undefined>();
  try {
    for await (const line of new IndexFile(path, adapter).lines()) {
      if (line.kind === "removed") lines.set(line.name, undefined);
      else if (line.kind === "file") lines.set(line.name, line);
    }
  } catch {
    // What it says at its beginning may be outdated, so an index that breaks off counts as none.
    return new Map();
  }
  return lines;
}
