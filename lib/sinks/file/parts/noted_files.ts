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
    for await (const line of new IndexFile(folder + name, adapter).lines()) {
      if (line.kind === "removed") noted.delete(line.name);
      else if (line.kind === "file") noted.set(line.name, line);
    }
  }
  return noted;
}
