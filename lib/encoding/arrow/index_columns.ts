/**
 * Reads the times of a chunk from its Arrow data, without decoding the other columns.
 *
 * @module
 */
import { InvalidMessage } from "../../base/errors.ts";
import type { FlatPairs } from "./_flatbuffers.ts";
import { DICTIONARY, type IpcMessage, readIpcMessage, RECORD_BATCH } from "./_ipc_message.ts";
import { BatchWalk, type DataPlace } from "./_arrow_batch.ts";
import { columnOf } from "./_arrow_columns.ts";
import { type ArrowField, rerunTag, toldOf } from "./arrow_ipc.ts";
import { plural } from "../../base/plural.ts";

/** The metadata version up to which unions have a bitmap. */
const V4 = 3;
const NO_DICTIONARIES: ReadonlyMap<number, number> = new Map();

/** One timeline's column. */
export class IndexColumn {
  /** Name of the timeline. */
  readonly name: string;
  readonly #body: DataView;
  readonly #valuesAt: number;
  readonly #validityAt: number | undefined;

  /**
   * Finds where its values are.
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
  /** The places of all buffers in the body. */
  readonly buffers: FlatPairs;
  /** Index of the first of its buffers. */
  readonly buffer: number;
  /** The places of all its parts. */
  readonly place: DataPlace;
}

/**
 * Finds columns in the first record batch.
 *
 * @param ipc an Arrow IPC stream, not compressed
 * @param fields of its schema
 * @param wants tells which columns are wanted
 * @throws {InvalidMessage} if the stream is damaged, its buffers are compressed one by one, or a column
 * up to the last that is wanted is of a type that is not known
 */
export function locateColumns(
  ipc: Uint8Array,
  fields: readonly ArrowField[],
  wants: (field: ArrowField) => boolean,
): { readonly body: DataView; readonly rows: number; readonly columns: ColumnPlace[] } {
  const { header, bodyAt, bodyBytes, version } = recordBatch(ipc);
  if (header.table(3) !== undefined) throw new InvalidMessage("Arrow buffers are compressed");
  if (bodyAt + bodyBytes > ipc.length) {
    throw new InvalidMessage(
      `An Arrow record batch of ${plural(bodyBytes, "byte")} is cut short to ${
        ipc.length - bodyAt
      }`,
    );
  }
  const body = new DataView(ipc.buffer, ipc.byteOffset + bodyAt, bodyBytes);
  const rows = header.length(0);
  const buffers = header.pairs(2);
  const columns: ColumnPlace[] = [];
  const last = fields.findLastIndex(wants);
  if (last < 0) return { body, rows, columns };
  // Dictionaries are ignored: Rerun uses them only for data, which is not read here.
  const walk = new BatchWalk(header, body, version === V4, NO_DICTIONARIES, undefined);
  for (const field of fields.slice(0, last + 1)) {
    const { buffer } = walk;
    const place = walk.column(columnOf(toldOf(field)));
    const { length, nulls } = place;
    if (wants(field)) columns.push({ field, length, nulls, buffers, buffer, place });
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
