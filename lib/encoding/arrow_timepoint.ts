/**
 * The time point of a message whose envelope has none, from the index columns of its Arrow data.
 *
 * @module
 */
import { InvalidMessage } from "../errors.ts";
import type { TimelineTime } from "../log_msg.ts";
import { type ArrowField, readSchema, rerunTag } from "./arrow_ipc.ts";
import type { ArrowMsg } from "./arrow_msg.ts";
import type { FlatPairs } from "./_flatbuffers.ts";
import { DICTIONARY, readIpcMessage, RECORD_BATCH } from "./_ipc_message.ts";
import { inflateLz4 } from "./lz4.ts";
import { orderTimepoint } from "./timepoint.ts";

/** Buffers of a column, those of its children not counted; every type not listed here has two. */
const BUFFERS: Readonly<Record<string, number>> = {
  Null: 0,
  FixedSizeList: 1,
  Struct: 1,
  RunEndEncoded: 0,
  Binary: 3,
  Utf8: 3,
  LargeBinary: 3,
  LargeUtf8: 3,
  ListView: 3,
  LargeListView: 3,
};

/** Types whose number of buffers the schema alone does not tell. */
const UNCOUNTED = new Set(["None", "Union", "BinaryView", "Utf8View"]);

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
  const lastIndex = fields.findLastIndex(isIndex);
  if (lastIndex < 0) return [];
  let message = readIpcMessage(ipc, 0);
  do message = readIpcMessage(ipc, message.bodyAt + message.bodyBytes); while (
    message.kind === DICTIONARY
  );
  if (message.kind !== RECORD_BATCH) throw new InvalidMessage("An Arrow IPC stream has no data");
  const { header, bodyAt, bodyBytes } = message;
  if (header.table(3) !== undefined) throw new InvalidMessage("Arrow buffers are compressed");
  if (bodyAt + bodyBytes > ipc.length) {
    throw new InvalidMessage(
      `An Arrow record batch of ${bodyBytes} bytes is cut short to ${ipc.length - bodyAt}`,
    );
  }
  const body = new DataView(ipc.buffer, ipc.byteOffset + bodyAt, bodyBytes);
  const rows = header.length(0);
  const nodes = header.pairs(1);
  const buffers = header.pairs(2);
  const times: TimelineTime[] = [];
  let node = 0;
  let buffer = 0;
  for (const field of fields.slice(0, lastIndex + 1)) {
    if (isIndex(field)) {
      const type = TIMELINE_TYPES[field.type];
      if (type === undefined || field.isDictionary) {
        throw new InvalidMessage(`An index column is of type ${field.type}`);
      }
      const [length, nulls] = nodes.at(node);
      if (length !== rows || nulls !== 0) throw new InvalidMessage("An index column has gaps");
      const isSorted = ["", "true"].includes(rerunTag(field.metadata, "is_sorted") ?? "false");
      const time = latest(body, buffers, buffer + 1, rows, isSorted);
      const name = rerunTag(field.metadata, "index_name") ?? field.name;
      if (time !== undefined) times.push({ name, type, time });
    }
    node += countNodes(field);
    buffer += countBuffers(field);
  }
  return orderTimepoint(times);
}

function isIndex(field: ArrowField): boolean {
  const kind = rerunTag(field.metadata, "kind");
  return kind === "index" || kind === "time";
}

function latest(
  body: DataView,
  buffers: FlatPairs,
  index: number,
  rows: number,
  isSorted: boolean,
): bigint | undefined {
  const [at, bytes] = buffers.at(index);
  if (at + bytes > body.byteLength || rows * 8 > bytes) {
    throw new InvalidMessage("An index column is cut short");
  }
  let max: bigint | undefined;
  for (let row = isSorted ? Math.max(0, rows - 1) : 0; row < rows; row++) {
    const time = body.getBigInt64(at + 8 * row, true);
    if (max === undefined || time > max) max = time;
  }
  return max;
}

function countNodes(field: ArrowField): number {
  if (field.isDictionary) return 1;
  return field.children.reduce((sum, child) => sum + countNodes(child), 1);
}

function countBuffers(field: ArrowField): number {
  if (field.isDictionary) return 2;
  if (UNCOUNTED.has(field.type)) {
    throw new InvalidMessage(`An index column comes after one of type ${field.type}`);
  }
  return field.children.reduce((sum, child) => sum + countBuffers(child), BUFFERS[field.type] ?? 2);
}
