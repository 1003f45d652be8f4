/**
 * Whether Arrow data can be given to a viewer: corrupt data ends native Rerun viewers.
 *
 * @module
 */
import { InvalidMessage } from "../errors.ts";
import { BatchWalk } from "./_arrow_batch.ts";
import { checkMetadata, type Column, damaged, readColumn, T } from "./_arrow_columns.ts";
import type { FlatTable } from "./_flatbuffers.ts";
import {
  DICTIONARY,
  type IpcMessage,
  isEndOfStream,
  readIpcMessage,
  RECORD_BATCH,
  SCHEMA,
} from "./_ipc_message.ts";
import type { ArrowMsg } from "./arrow_msg.ts";

/** Metadata versions; before V4 the layout was another. */
const V4 = 3;
const V5 = 4;

/** Where the row ids are, SDK 0.22 and before. */
const ROW_ID = "rerun.controls.RowId";

/**
 * Looks at the frame of a chunk's Arrow data, without decoding its columns: one schema and one record
 * batch, every offset and every buffer inside the message, and as long as the columns' types need.
 *
 * Values are not looked at, but for the first and last offset of a column.
 *
 * @param msg any chunk
 * @returns what is wrong; `undefined` if nothing is
 *
 * @example
 * ```ts
 * import { checkArrowIpc } from "@rerelay/server/encoding";
 * import { assertEquals } from "@std/assert";
 * import { tableFromArrays, tableToIPC } from "apache-arrow";
 *
 * const ipc = tableToIPC(tableFromArrays({ frame: BigInt64Array.of(1n, 2n) }), "stream");
 * assertEquals(checkArrowIpc(ipc), undefined);
 * assertEquals(checkArrowIpc(ipc.subarray(0, 40)) === undefined, false);
 * ```
 */
export function checkArrow(msg: ArrowMsg): string | undefined {
  return whatIsWrong(() => checkStream(msg.ipc()));
}

/**
 * As {@linkcode checkArrow}, of an Arrow IPC stream.
 *
 * @param ipc not compressed
 * @returns what is wrong; `undefined` if nothing is
 */
export function checkArrowIpc(ipc: Uint8Array): string | undefined {
  return whatIsWrong(() => checkStream(ipc));
}

function whatIsWrong(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof InvalidMessage) return error.message;
    throw error;
  }
}

function checkStream(ipc: Uint8Array): void {
  const schema = readIpcMessage(ipc, 0);
  if (schema.kind !== SCHEMA) throw damaged("it has no schema");
  if (schema.bodyBytes !== 0) throw damaged("a schema has a body");
  if (schema.header.i16(0) !== 0) throw new InvalidMessage("The Arrow IPC stream is big endian");
  checkMetadata(schema.header, 2);
  const columns = schema.header.tables(1).map((field) => {
    const column = readColumn(field);
    if (column.type === T.STRUCT && field.string(0) === ROW_ID) checkRowId(field);
    return column;
  });
  let message = readIpcMessage(ipc, schema.bodyAt);
  const owners = message.kind === DICTIONARY ? dictionaries(columns) : undefined;
  while (message.kind === DICTIONARY) {
    const owner = owners!.get(message.header.length(0));
    const batch = message.header.table(1);
    if (batch === undefined || owner === undefined) throw damaged("a dictionary is of no column");
    checkBatch(ipc, message, batch, [owner], true);
    message = readIpcMessage(ipc, endOf(message));
  }
  if (message.kind !== RECORD_BATCH) throw damaged(`a message of kind ${message.kind}`);
  checkBatch(ipc, message, message.header, columns);
  const end = endOf(message);
  // Without it, viewers from before 0.22 end.
  if (end + 8 === ipc.length && isEndOfStream(ipc, end)) return;
  throw damaged("no end marker follows its record batch");
}

/** Viewers take for granted that it holds two UInt64. */
function checkRowId(field: FlatTable): void {
  for (const child of field.tables(5)) {
    const type = child.table(3);
    if (child.u8(2) === T.INT && type?.i32(0) === 64 && !type.bool(1)) continue;
    throw damaged("a row id is not of two UInt64");
  }
}

function endOf({ bodyAt, bodyBytes }: IpcMessage): number {
  return bodyAt + bodyBytes;
}

function checkBatch(
  ipc: Uint8Array,
  { bodyAt, bodyBytes, version }: IpcMessage,
  batch: FlatTable,
  columns: readonly Column[],
  values = false,
): void {
  if (batch.table(3) !== undefined) {
    throw damaged("buffers are compressed one by one");
  }
  if (bodyAt + bodyBytes > ipc.length) {
    throw damaged(`a batch of ${bodyBytes} bytes is cut short to ${ipc.length - bodyAt}`);
  }
  if (version !== V4 && version !== V5) {
    throw damaged(`unknown metadata version ${version}`);
  }
  if (bodyAt % 8 !== 0) throw damaged("a batch is not aligned");
  const body = new DataView(ipc.buffer, ipc.byteOffset + bodyAt, bodyBytes);
  const walk = new BatchWalk(batch, body, version === V4);
  const rows = batch.length(0);
  for (const column of columns) walk.column(column, rows, values);
  walk.finish();
}

/** The columns whose values are indices of dictionaries, by the dictionary's id. */
function dictionaries(columns: readonly Column[], found = new Map<number, Column>()) {
  for (const column of columns) {
    if (column.dictionary !== undefined) found.set(column.dictionary.id, column);
    dictionaries(column.children, found);
  }
  return found;
}
