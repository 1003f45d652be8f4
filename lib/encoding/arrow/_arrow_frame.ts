/**
 * Checks the frame of Arrow data: one schema and one record batch, all inside the message.
 *
 * @module
 */
import { BatchWalk, checkOffsets, type Offsets } from "./_arrow_batch.ts";
import { type Column, columnOf } from "./_arrow_columns.ts";
import { damaged, T } from "./_arrow_types.ts";
import { ArrowValues } from "./_arrow_values.ts";
import type { FlatTable } from "./_flatbuffers.ts";
import {
  DICTIONARY,
  findMetadata,
  type IpcMessage,
  isEndOfStream,
  type MetadataPlace,
  readIpcMessage,
  RECORD_BATCH,
} from "./_ipc_message.ts";
import { parseSchema, type SchemaField } from "./schema_tree.ts";
import type { KnownBatch, KnownFrames, KnownSchema } from "./_known_frames.ts";
import { plural } from "../../base/plural.ts";

/** Numbers of metadata versions; before V4 the layout was different. */
const V4 = 3;
const V5 = 4;

/** The column of row ids in SDK 0.22 and before. */
const ROW_ID = "rerun.controls.RowId";

/** A schema that was checked. */
type Schema = Pick<KnownSchema, "columns"> | KnownSchema;

/**
 * Checks an Arrow IPC stream.
 *
 * @param ipc not compressed
 * @param known frames that were found sound before; this one is added
 * @param values whether to check the values, too
 * @throws {InvalidMessage} if it is not sound
 */
export function checkFrame(ipc: Uint8Array, known: KnownFrames, values = false): void {
  const place = findMetadata(ipc, 0);
  const schema = known.schema(ipc, place) ?? checkSchema(ipc, place, known);
  const end = values
    ? walkBatches(ipc, place.end, schema.columns, true).end
    : checkBatches(ipc, place.end, schema, known);
  // Viewers before 0.22 end if the end marker is missing.
  if (end + 8 === ipc.length && isEndOfStream(ipc, end)) return;
  throw damaged("no end marker follows its record batch");
}

function checkSchema(ipc: Uint8Array, place: MetadataPlace, known: KnownFrames): Schema {
  const reads = known.takes(place) ? new Uint8Array(place.end - place.start) : undefined;
  const { tree, header } = parseSchema(ipc, reads);
  const columns = tree.fields.map((field, i) => {
    if (field.isNameless) throw damaged("a column has no name");
    // Read with `string`, so that this name counts as structure: a schema with another name must
    // not match this one.
    if (field.type === T.STRUCT && header.tables(1)[i]!.string(0) === ROW_ID) checkRowId(field);
    return columnOf(field);
  });
  const added = reads && known.addSchema(ipc, place, reads, columns);
  return added ?? { columns };
}

/** Viewers rely on row ids being two UInt64. */
function checkRowId({ children }: SchemaField): void {
  for (const { type, parameters: [bits, isSigned] } of children) {
    if (type === T.INT && bits === 64 && !isSigned) continue;
    throw damaged("a row id is not of two UInt64");
  }
}

/** Checks the batches, and returns where the record batch ends. */
function checkBatches(ipc: Uint8Array, at: number, schema: Schema, known: KnownFrames): number {
  const { columns } = schema;
  const place = findMetadata(ipc, at);
  const before = "batches" in schema ? known.batch(schema, ipc, place) : undefined;
  if (before !== undefined) return checkAgain(ipc, place.end, before);
  const { offsets, bodyBytes, isAlone, end } = walkBatches(ipc, at, columns, false);
  if (isAlone && "batches" in schema && known.takes(place)) {
    known.addBatch(schema, ipc, place, { offsets, bodyBytes });
  }
  return end;
}

/** Walks over the dictionaries, if there are any, and the record batch. */
function walkBatches(ipc: Uint8Array, at: number, columns: readonly Column[], values: boolean) {
  let message = readIpcMessage(ipc, at);
  const isAlone = message.kind !== DICTIONARY;
  const owners = isAlone ? undefined : dictionaries(columns);
  const lengths = new Map<number, number>();
  while (message.kind === DICTIONARY) {
    const id = message.header.length(0);
    const owner = owners!.get(id);
    const batch = message.header.table(1);
    if (batch === undefined || owner === undefined) throw damaged("a dictionary is of no column");
    checkBatch(ipc, message, batch, [owner], { lengths, values, isDictionary: true });
    const isDelta = message.header.bool(2);
    lengths.set(id, batch.length(0) + (isDelta ? lengths.get(id) ?? 0 : 0));
    message = readIpcMessage(ipc, endOf(message));
  }
  const { kind, header, bodyBytes } = message;
  if (kind !== RECORD_BATCH) throw damaged(`a message of kind ${kind}`);
  const offsets = checkBatch(ipc, message, header, columns, {
    lengths,
    values,
    isDictionary: false,
  });
  return { offsets, bodyBytes, isAlone, end: endOf(message) };
}

/** Checks a batch whose metadata is known: only its data must be looked at. */
function checkAgain(ipc: Uint8Array, at: number, { offsets, bodyBytes }: KnownBatch): number {
  const body = bodyOf(ipc, at, bodyBytes);
  for (const each of offsets) checkOffsets(body, each);
  return at + bodyBytes;
}

function endOf({ bodyAt, bodyBytes }: IpcMessage): number {
  return bodyAt + bodyBytes;
}

function bodyOf(ipc: Uint8Array, at: number, bytes: number): DataView {
  if (at + bytes > ipc.length) {
    throw damaged(`a batch of ${plural(bytes, "byte")} is cut short to ${ipc.length - at}`);
  }
  if (at % 8 !== 0) throw damaged("a batch is not aligned");
  return new DataView(ipc.buffer, ipc.byteOffset + at, bytes);
}

function checkBatch(
  ipc: Uint8Array,
  { bodyAt, bodyBytes, version }: IpcMessage,
  batch: FlatTable,
  columns: readonly Column[],
  options: {
    /** How many values dictionaries have, by their ids. */
    readonly lengths: ReadonlyMap<number, number>;
    readonly values: boolean;
    readonly isDictionary: boolean;
  },
): readonly Offsets[] {
  if (batch.table(3) !== undefined) throw damaged("buffers are compressed one by one");
  const body = bodyOf(ipc, bodyAt, bodyBytes);
  if (version !== V4 && version !== V5) throw damaged(`unknown metadata version ${version}`);
  const values = options.values ? new ArrowValues(body) : undefined;
  const walk = new BatchWalk(batch, body, version === V4, options.lengths, values);
  const rows = batch.length(0);
  for (const column of columns) walk.column(column, rows, options.isDictionary);
  walk.finish();
  return walk.offsets;
}

/** The columns whose values are indices of dictionaries, by the dictionary's id. */
function dictionaries(columns: readonly Column[], found = new Map<number, Column>()) {
  for (const column of columns) {
    if (column.dictionary !== undefined) found.set(column.dictionary.id, column);
    dictionaries(column.children, found);
  }
  return found;
}
