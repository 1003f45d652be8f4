/**
 * Finds the first record batch of a chunk, quickly if the same metadata came before.
 *
 * @module
 */
import { BytePattern } from "../byte_pattern.ts";
import { BatchWalk, type DataPlace } from "./_arrow_batch.ts";
import { type Column, columnOf } from "./_arrow_columns.ts";
import { damaged } from "./_arrow_types.ts";
import { DICTIONARY, findMetadata, readIpcMessage, RECORD_BATCH } from "./_ipc_message.ts";
import { BatchValues, type DictionaryPart } from "./batch_values.ts";
import type { SchemaTree } from "./schema_tree.ts";
import { plural } from "../../base/plural.ts";

export type { DataPlace } from "./_arrow_batch.ts";

/** The metadata version up to which unions have a bitmap. */
const V4 = 3;
/** Longer metadata, in bytes, usually comes with more data, and is read each time. */
const MAX_BYTES = 8 * 1024;
/** How many record batches are remembered of one schema. */
const MAX_KNOWN = 4;
/** How many rows data without any bytes may have. */
const MAX_EMPTY_ROWS = 1024;

const NO_DICTIONARIES: ReadonlyMap<number, readonly DictionaryPart[]> = new Map();
const NO_LENGTHS: ReadonlyMap<number, number> = new Map();

/** Where the columns of a record batch are. */
interface Known {
  readonly bytes: number;
  readonly pattern: BytePattern;
  readonly bodyBytes: number;
  readonly rows: number;
  readonly places: readonly DataPlace[];
}

/** A record batch. */
export interface Batch {
  readonly rows: number;
  /** Places of the columns of its schema. */
  readonly places: readonly DataPlace[];
  readonly values: BatchValues;
}

/** Finds the record batches of chunks that have the same columns. */
export class BatchFinder {
  readonly columns: readonly Column[];
  readonly #known: Known[] = [];

  /**
   * @param tree the schema
   * @throws {InvalidMessage} if it has a type that is not known
   */
  constructor({ fields }: Pick<SchemaTree, "fields">) {
    this.columns = fields.map(columnOf);
  }

  /**
   * Finds the first record batch of a stream; Rerun writes one.
   *
   * @param ipc an Arrow IPC stream, not compressed
   * @param at where its schema ends
   * @throws {InvalidMessage} if it is damaged, or its buffers are compressed one by one
   */
  find(ipc: Uint8Array, at: number): Batch {
    const { start, end } = findMetadata(ipc, at);
    const known = this.#find(ipc, start, end);
    if (known !== undefined) {
      const { rows, places, bodyBytes } = known;
      return {
        rows,
        places,
        values: new BatchValues(bodyOf(ipc, end, bodyBytes), NO_DICTIONARIES),
      };
    }
    return this.#read(ipc, at, start, end);
  }

  #find(ipc: Uint8Array, start: number, end: number): Known | undefined {
    if (this.#known.length === 0) return undefined;
    const view = new DataView(ipc.buffer, ipc.byteOffset + start, end - start);
    return this.#known.find(({ bytes, pattern }) =>
      bytes === end - start && pattern.matches(view, 0)
    );
  }

  #read(ipc: Uint8Array, at: number, start: number, end: number): Batch {
    let message = readIpcMessage(ipc, at);
    const dictionaries = new Map<number, readonly DictionaryPart[]>();
    const lengths = new Map<number, number>();
    const isAlone = message.kind !== DICTIONARY;
    const owners = isAlone ? undefined : ownersOf(this.columns);
    while (message.kind === DICTIONARY) {
      const { header, bodyAt, bodyBytes, version } = message;
      const id = header.length(0);
      const [batch, owner] = [header.table(1), owners!.get(id)];
      if (batch === undefined || owner === undefined) throw damaged("a dictionary is of no column");
      if (batch.table(3) !== undefined) throw damaged("buffers are compressed one by one");
      const body = bodyOf(ipc, bodyAt, bodyBytes);
      const walk = new BatchWalk(batch, viewOf(body), version === V4, lengths, undefined);
      const place = walk.column(owner, batch.length(0), true);
      const before = header.bool(2) ? dictionaries.get(id) ?? [] : [];
      dictionaries.set(id, [...before, { values: new BatchValues(body, dictionaries), place }]);
      lengths.set(id, batch.length(0));
      message = readIpcMessage(ipc, bodyAt + bodyBytes);
    }
    const { kind, header, bodyAt, bodyBytes, version } = message;
    if (kind !== RECORD_BATCH) throw damaged("there is no record batch");
    if (header.table(3) !== undefined) throw damaged("buffers are compressed one by one");
    const body = bodyOf(ipc, bodyAt, bodyBytes);
    const rows = header.length(0);
    if (rows > MAX_EMPTY_ROWS + 8 * bodyBytes) throw damaged(`${rows} rows are of no data`);
    const walk = new BatchWalk(header, viewOf(body), version === V4, NO_LENGTHS, undefined);
    const places = this.columns.map((column) => walk.column(column, rows));
    const bytes = end - start;
    if (isAlone && bytes <= MAX_BYTES && bytes % 4 === 0) {
      const pattern = new BytePattern(ipc.subarray(start, end), new Uint8Array(bytes).fill(0xff));
      this.#known.push({ bytes, pattern, bodyBytes, rows, places });
      if (this.#known.length > MAX_KNOWN) this.#known.shift();
    }
    return { rows, places, values: new BatchValues(body, dictionaries) };
  }
}

function bodyOf(ipc: Uint8Array, at: number, bytes: number): Uint8Array {
  if (at + bytes > ipc.length) {
    throw damaged(`a batch of ${plural(bytes, "byte")} is cut short to ${ipc.length - at}`);
  }
  return new Uint8Array(ipc.buffer, ipc.byteOffset + at, bytes);
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

/** The columns whose values are indices of dictionaries, by the dictionary's id. */
function ownersOf(columns: readonly Column[], found = new Map<number, Column>()) {
  for (const column of columns) {
    if (column.dictionary !== undefined) found.set(column.dictionary.id, column);
    ownersOf(column.children, found);
  }
  return found;
}
