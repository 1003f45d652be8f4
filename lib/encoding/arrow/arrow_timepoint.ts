/**
 * The time point of a message whose envelope has none, from the index columns of its Arrow data.
 *
 * @module
 */
import { InvalidMessage } from "../../base/errors.ts";
import type { TimelineTime } from "../message_parts.ts";
import { type ArrowSchema, readSchema } from "./arrow_ipc.ts";
import type { ArrowMsg } from "../arrow_msg.ts";
import { schemaFront } from "./schema_front.ts";
import { type IndexColumn, indexColumns, isIndex } from "./index_columns.ts";
import { inflateLz4 } from "../lz4/lz4.ts";
import { orderTimepoint } from "../timepoint.ts";

/** The envelope's word for each type of an index column. */
const TIMELINE_TYPES: Readonly<Record<string, TimelineTime["type"]>> = {
  "Int64": "sequence",
  "Timestamp[ns]": "time",
  "Duration[ns]": "time",
};

/**
 * The latest time of a message on each of its timelines: from the envelope, else from the Arrow data.
 *
 * @param msg any chunk
 * @returns in Rerun's order; empty for static data
 * @throws {InvalidMessage} if the envelope has none and the data cannot be read
 */
export function timepointOf(msg: ArrowMsg): readonly TimelineTime[] {
  if (msg.timepointMax !== undefined) return msg.timepointMax;
  if (msg.isStatic) return [];
  const { bytes, compression, uncompressedSize } = msg.arrow;
  return readTimepoint(compression === "off" ? bytes : inflateLz4(bytes, uncompressedSize));
}

/**
 * Whether a chunk is static: by its envelope if that tells (SDK 0.25 and later, and all over TCP),
 * else by the columns of its schema.
 *
 * @param msg any chunk
 * @throws {InvalidMessage} if the envelope does not say it and the schema cannot be read
 */
export function isStaticChunk(msg: ArrowMsg): boolean {
  if (msg.timepointMax !== undefined) return msg.timepointMax.length === 0;
  return msg.isStatic ?? !schemaOf(msg).fields.some(isIndex);
}

/**
 * The schema of a message's Arrow data, of which no more is inflated than needed.
 *
 * @param msg any chunk
 * @throws {InvalidMessage} if it is damaged
 */
export function schemaOf(msg: ArrowMsg): ArrowSchema {
  return readSchema(schemaFront(msg.arrow));
}

/**
 * Reads the latest time on each timeline from the first record batch of a chunk.
 *
 * Chunks have one record batch; index columns are tagged `rerun.kind` = `time` by SDK 0.22 and
 * before, `index` by later ones. Static chunks have none.
 *
 * @param ipc an Arrow IPC stream, not compressed
 * @returns in Rerun's order; empty for static data
 * @throws {InvalidMessage} if the stream is damaged, or its buffers are compressed one by one
 */
export function readTimepoint(ipc: Uint8Array): TimelineTime[] {
  const { fields } = readSchema(ipc);
  const times: TimelineTime[] = [];
  for (const column of indexColumns(ipc, fields)) {
    const type = TIMELINE_TYPES[column.field.type];
    if (type === undefined) {
      throw new InvalidMessage(`An index column is of type ${column.field.type}`);
    }
    if (column.nulls !== 0) throw new InvalidMessage("An index column has gaps");
    const time = latest(column);
    if (time !== undefined) times.push({ name: column.name, type, time });
  }
  return orderTimepoint(times);
}

function latest(column: IndexColumn): bigint | undefined {
  const { rows, isSorted } = column;
  let max: bigint | undefined;
  for (let row = isSorted ? Math.max(0, rows - 1) : 0; row < rows; row++) {
    const time = column.time(row)!;
    if (max === undefined || time > max) max = time;
  }
  return max;
}
