/**
 * Where the times of a chunk are in its Arrow data, without decoding the other columns.
 *
 * @module
 */
import { InvalidMessage } from "../../base/errors.ts";
import type { FlatPairs } from "./_flatbuffers.ts";
import { DICTIONARY, type IpcMessage, readIpcMessage, RECORD_BATCH } from "./_ipc_message.ts";
import { type ArrowField, rerunTag } from "./arrow_ipc.ts";

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

/** One timeline's column. */
export class IndexColumn {
  /** Of the timeline. */
  readonly name: string;
  readonly #body: DataView;
  readonly #valuesAt: number;
  readonly #validityAt: number | undefined;

  /**
   * Looks where its values are.
   *
   * @param field its type
   * @param rows how many values it has
   * @param nulls how many of them are missing
   * @param body the record batch's data
   * @param buffers where in it buffers are
   * @param index of the first of its two buffers
   * @throws {InvalidMessage} if they are not inside
   */
  constructor(
    readonly field: ArrowField,
    readonly rows: number,
    readonly nulls: number,
    body: DataView,
    buffers: FlatPairs,
    index: number,
  ) {
    this.name = rerunTag(field.metadata, "index_name") ?? field.name;
    this.#body = body;
    this.#validityAt = nulls === 0 ? undefined : within(body, buffers.at(index), rows / 8);
    this.#valuesAt = within(body, buffers.at(index + 1), rows * 8);
  }

  /** Whether Rerun says that no value is less than the one before it. */
  get isSorted(): boolean {
    return ["", "true"].includes(rerunTag(this.field.metadata, "is_sorted") ?? "false");
  }

  /** The time in a row; `undefined` if it has none. */
  time(row: number): bigint | undefined {
    if (this.#validityAt !== undefined) {
      const bits = this.#body.getUint8(this.#validityAt + (row >> 3));
      if ((bits >> (row & 7) & 1) === 0) return undefined;
    }
    return this.#body.getBigInt64(this.#valuesAt + 8 * row, true);
  }
}

/**
 * The index columns of a chunk, which are tagged `rerun.kind` = `time` by SDK 0.22 and before, and
 * `index` by later ones.
 *
 * @param ipc an Arrow IPC stream, not compressed
 * @param fields of its schema
 * @returns none for static chunks
 * @throws {InvalidMessage} if the stream is damaged, or its buffers are compressed one by one
 */
export function indexColumns(ipc: Uint8Array, fields: readonly ArrowField[]): IndexColumn[] {
  if (!fields.some(isIndex)) return [];
  const { body, rows, columns } = locateColumns(ipc, fields, isIndex);
  return columns.map(({ field, nulls, length, buffers, buffer }) => {
    if (field.isDictionary) throw new InvalidMessage("An index column is of a dictionary");
    if (length !== rows) throw new InvalidMessage("An index column is not as long as its chunk");
    return new IndexColumn(field, rows, nulls, body, buffers, buffer);
  });
}

/** Where a column is in a record batch. */
export interface ColumnPlace {
  readonly field: ArrowField;
  /** How many values it has. */
  readonly length: number;
  /** How many of them are missing. */
  readonly nulls: number;
  /** Where in the body buffers are. */
  readonly buffers: FlatPairs;
  /** Index of the first of its buffers. */
  readonly buffer: number;
}

/**
 * Finds columns in the first record batch.
 *
 * @param ipc an Arrow IPC stream, not compressed
 * @param fields of its schema
 * @param wants which of them
 * @throws {InvalidMessage} if the stream is damaged, its buffers are compressed one by one, or a column
 * before the last that is wanted is of a type whose buffers are not known
 */
export function locateColumns(
  ipc: Uint8Array,
  fields: readonly ArrowField[],
  wants: (field: ArrowField) => boolean,
): { readonly body: DataView; readonly rows: number; readonly columns: ColumnPlace[] } {
  const { header, bodyAt, bodyBytes } = recordBatch(ipc);
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
  const columns: ColumnPlace[] = [];
  let [node, buffer] = [0, 0];
  for (const field of fields.slice(0, fields.findLastIndex(wants) + 1)) {
    if (wants(field)) {
      const [length, nulls] = nodes.at(node);
      columns.push({ field, length, nulls, buffers, buffer });
    }
    node += countNodes(field);
    buffer += countBuffers(field);
  }
  return { body, rows, columns };
}

/**
 * The first record batch of a chunk; Rerun writes one.
 *
 * @throws {InvalidMessage} if there is none
 */
export function recordBatch(ipc: Uint8Array): IpcMessage {
  let message = readIpcMessage(ipc, 0);
  do message = readIpcMessage(ipc, message.bodyAt + message.bodyBytes); while (
    message.kind === DICTIONARY
  );
  if (message.kind !== RECORD_BATCH) throw new InvalidMessage("An Arrow IPC stream has no data");
  return message;
}

/** Whether a column is a timeline. */
export function isIndex(field: ArrowField): boolean {
  const kind = rerunTag(field.metadata, "kind");
  return kind === "index" || kind === "time";
}

function within(body: DataView, [at, bytes]: [number, number], needed: number): number {
  if (at + bytes > body.byteLength || needed > bytes) {
    throw new InvalidMessage("An index column is cut short");
  }
  return at;
}

function countNodes(field: ArrowField): number {
  if (field.isDictionary) return 1;
  return field.children.reduce((sum, child) => sum + countNodes(child), 1);
}

function countBuffers(field: ArrowField): number {
  if (field.isDictionary) return 2;
  if (UNCOUNTED.has(field.type)) {
    throw new InvalidMessage(`A column comes after one of type ${field.type}`);
  }
  return field.children.reduce((sum, child) => sum + countBuffers(child), BUFFERS[field.type] ?? 2);
}
