/**
 * What an index says of the files of a pattern, for programs that only read it.
 *
 * @module
 */
import type { FileReadAdapter } from "../../../adapters/files/types.ts";
import type { SavePattern } from "../save_pattern.ts";
import { IndexFile } from "./_index_file.ts";
import type { FileLine } from "./_index_line.ts";
import { INDEX_SUFFIX } from "./part_index.ts";

/** A file that an index names. */
export type IndexedFile = Pick<FileLine, "id" | "name" | "bytes" | "state" | "messages">;

/**
 * The files of a pattern, in the order in which they were begun.
 *
 * @param pattern the pattern of the files
 * @param adapter reads the index
 * @throws whatever the disk says
 */
export async function indexedFiles(
  { folder, name }: Pick<SavePattern, "folder" | "name">,
  adapter: FileReadAdapter,
): Promise<IndexedFile[]> {
  const files = new Map<string, FileLine>();
  /** The ids that names had last: looking through all files for each that was removed takes minutes. */
  const ids = new Map<string, string>();
  for await (const line of new IndexFile(folder + name + INDEX_SUFFIX, adapter).lines()) {
    if (line.kind === "file") {
      files.set(line.id, line);
      ids.set(line.name, line.id);
    } else if (line.kind === "removed") files.delete(line.id ?? ids.get(line.name) ?? "");
  }
  return [...files.values()];
}
