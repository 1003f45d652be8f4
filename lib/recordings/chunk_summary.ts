/**
 * What a chunk is about, from its Arrow data.
 *
 * @module
 */
import { type ArrowField, readSchema, rerunTag } from "../encoding/arrow/arrow_ipc.ts";
import type { ArrowMsg } from "../encoding/arrow_msg.ts";
import { checkArrowMsg } from "../encoding/check_arrow_msg.ts";
import {
  type IndexColumn,
  indexColumns,
  isIndex,
  recordBatch,
} from "../encoding/arrow/index_columns.ts";
import type { Tuid } from "../encoding/tuid.ts";
import { InvalidMessage } from "../base/errors.ts";

/** One timeline of a chunk. */
export interface ChunkTimeline {
  /** As it was logged. */
  readonly name: string;
  /** As Arrow calls it, such as `Int64` or `Timestamp[ns]`. */
  readonly type: string;
  /** The first time: a sequence number, or nanoseconds. */
  readonly min: bigint;
  /** The last time: a sequence number, or nanoseconds. */
  readonly max: bigint;
}

/** What a chunk is about. */
export interface ChunkSummary {
  /** How many rows it has. */
  readonly rows: number;
  /** Id of the chunk, from the envelope, else from the Arrow data. */
  readonly chunkId?: Tuid;
  /** Absent for the tables of SDK 0.9 to 0.16, which hold several entities. */
  readonly entityPath?: string;
  /** Its timelines; none if the data is static. */
  readonly timelines: readonly ChunkTimeline[];
  /** Names of the data columns. */
  readonly columns: readonly string[];
}

/**
 * What a chunk's Arrow data says of itself; only its times are looked at, not its data columns.
 *
 * @param msg any chunk
 * @throws {InvalidMessage} if it is damaged
 *
 * @example
 * ```ts
 * import { ArrowMsg } from "@rerelay/server";
 * import { decodeRrdHeader } from "@rerelay/server/encoding";
 * import { summarize } from "@rerelay/server/rrd";
 * import { assertEquals } from "@std/assert";
 * import { tableFromArrays, tableToIPC } from "apache-arrow";
 *
 * // A server or a file gives such messages; this one is made by hand.
 * const bytes = tableToIPC(tableFromArrays({ x: [1, 2, 3] }), "stream");
 * const arrow = { bytes, compression: "off", uncompressedSize: bytes.length } as const;
 * const head = Uint8Array.of(0x52, 0x52, 0x46, 0x32, 0, 22, 1, 0, 0, 2, 0, 0);
 * const encoded = { header: decodeRrdHeader(head), bytes };
 * const storeId = { kind: "Recording", id: "by hand" } as const;
 * const msg = new ArrowMsg(storeId, undefined, undefined, undefined, arrow, encoded);
 *
 * const { rows, columns, timelines } = summarize(msg);
 * assertEquals([rows, columns, timelines], [3, ["x"], []]);
 * ```
 */
export function summarize(msg: ArrowMsg): ChunkSummary {
  checkArrowMsg("summarize", msg);
  const ipc = msg.ipc();
  const schema = readSchema(ipc);
  const timelines: ChunkTimeline[] = [];
  for (const column of indexColumns(ipc, schema.fields)) {
    const range = rangeOf(column);
    const { name, field: { type } } = column;
    if (range !== undefined) timelines.push({ name, type, ...range });
  }
  const chunkId = msg.chunkId ?? schema.chunkId;
  return {
    rows: recordBatch(ipc).header.length(0),
    ...(chunkId === undefined ? {} : { chunkId }),
    ...(schema.entityPath === undefined ? {} : { entityPath: schema.entityPath }),
    timelines,
    columns: schema.fields.filter(isData).map(columnName),
  };
}

function isData(field: ArrowField): boolean {
  return !isIndex(field) && rerunTag(field.metadata, "kind") !== "control";
}

function columnName(field: ArrowField): string {
  return rerunTag(field.metadata, "component") ?? field.name;
}

function rangeOf(column: IndexColumn): { min: bigint; max: bigint } | undefined {
  if (!/^(Int64|Timestamp|Duration)/.test(column.field.type)) {
    throw new InvalidMessage("An index column is not of 64-bit integers");
  }
  let min: bigint | undefined;
  let max: bigint | undefined;
  for (let row = 0; row < column.rows; row++) {
    const time = column.time(row);
    if (time === undefined) continue;
    if (min === undefined || time < min) min = time;
    if (max === undefined || time > max) max = time;
  }
  return min === undefined || max === undefined ? undefined : { min, max };
}
