/**
 * What a file's writer is told.
 *
 * @module
 */
import type { FileAdapter, WritableFile } from "../../../adapters/files/types.ts";
import type { ChunkIndexer } from "../parts/chunk_indexer.ts";
import type { Compressor } from "./compressor.ts";
import type { FolderSync } from "../parts/folder_sync.ts";
import type { NotedPart } from "../parts/noted_part.ts";
import type { WriteBudget } from "./write_budget.ts";

/** How a file is written and finished. */
export interface RrdWriterOptions {
  readonly adapter: FileAdapter;
  /** Whether a file that has its name by then is replaced. */
  readonly replace: boolean;
  /** Whether it is on the disk before it gets its name. */
  readonly sync: boolean;
  /** Shared by all files of a sink. */
  readonly budget: WriteBudget;
  /** Lists the chunks of files that are whole; absent where that is not wanted. */
  readonly indexer: ChunkIndexer | undefined;
  /** Absent where messages stay as they came. */
  readonly compressor: Compressor | undefined;
  /** Puts names on the disk. */
  readonly folder: FolderSync;
  /** Milliseconds since the Unix epoch. */
  readonly date: () => number;
}

/** Where a file is written to. */
export interface RrdTarget {
  /** Its name once it is closed. */
  readonly path: string;
  /** Its name until then; the same for a device or pipe, which has no other. */
  readonly written: string;
  readonly file: WritableFile;
  /** Its place in the index; a device has none. */
  readonly note?: NotedPart;
}
