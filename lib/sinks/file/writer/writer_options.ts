/**
 * Options of a file's writer.
 *
 * @module
 */
import type { Clock } from "../../../base/clock.ts";
import type { FileAdapter, WritableFile } from "../../../adapters/files/types.ts";
import { endMarker } from "../../../encoding/rrd/rrd_encode.ts";
import { decodeRrdHeader, type RrdHeader } from "../../../encoding/rrd_header.ts";
import type { ChunkIndexer } from "../parts/chunk_indexer.ts";
import type { Compressor } from "./compressor.ts";
import type { FilePool } from "./file_pool.ts";
import type { FolderSync } from "../parts/folder_sync.ts";
import type { NotedPart } from "../parts/noted_part.ts";
import type { WriteBudget } from "./write_budget.ts";

/** Follows the name of a file that is being written. */
export const PART_SUFFIX = ".part";

/** Header of an empty recording: that of the last SDK that spoke TCP. */
export const EMPTY_HEADER: RrdHeader = decodeRrdHeader(
  Uint8Array.of(0x52, 0x52, 0x46, 0x32, 0, 22, 1, 0, 0, 1, 0, 0),
);

/** Bytes of an empty recording. */
export const EMPTY_BYTES: number = EMPTY_HEADER.bytes.length + endMarker(EMPTY_HEADER).length;

/** How a file is written and finished. */
export interface RrdWriterOptions {
  readonly adapter: FileAdapter;
  /** Whether a file that has its final name by then is replaced. */
  readonly replace: boolean;
  /** Whether the file must be on the disk before it gets its name. */
  readonly sync: boolean;
  /** Has the files open that are being written to. */
  readonly pool: FilePool;
  /** Bounds the bytes that wait, for all files of a sink together. */
  readonly budget: WriteBudget;
  /** Lists the chunks of files; absent if that is not wanted. */
  readonly indexer: ChunkIndexer | undefined;
  /** Compresses messages; absent if they stay as they came. */
  readonly compressor: Compressor | undefined;
  /** Puts names on the disk. */
  readonly folder: FolderSync;
  /** Milliseconds since the Unix epoch. */
  readonly date: Clock["date"];
}

/** Where a file goes. */
export interface RrdTarget {
  /** Its name once it is closed. */
  readonly path: string;
  /** Its name until then; for a device or pipe the same. */
  readonly written: string;
  readonly file: WritableFile;
  /** Its line in the index; a device has none. */
  readonly note?: NotedPart;
}
