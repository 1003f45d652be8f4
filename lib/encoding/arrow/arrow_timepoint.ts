/**
 * The time point of a message whose envelope has none, from the index columns of its Arrow data.
 *
 * @module
 */
import { InvalidMessage } from "../../base/errors.ts";
import type { TimelineTime } from "../log_msg.ts";
import { readSchema } from "./arrow_ipc.ts";
import type { ArrowMsg } from "../arrow_msg.ts";
import { type IndexColumn, indexColumns } from "./index_columns.ts";
import { inflateLz4 } from "../lz4/lz4.ts";
import { orderTimepoint } from "../timepoint.ts";

/** What the envelope calls a timeline of each of the types that index columns have. */
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
