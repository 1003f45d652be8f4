/**
 * Reads the footer of a file: its stores, and the chunks that it lists.
 *
 * @module
 */
import { InvalidMessage } from "../base/errors.ts";
import { readSchema } from "../encoding/arrow/arrow_ipc.ts";
import { locateColumns } from "../encoding/arrow/index_columns.ts";
import { DECODE_LIMITS } from "../encoding/limits.ts";
import { checkLz4Ratio, inflateLz4 } from "../encoding/lz4/lz4.ts";
import type { StoreId } from "../encoding/message_parts.ts";
import { bytes, ProtobufBudget, readMessage, uint } from "../encoding/protobuf/protobuf.ts";
import { readStoreId } from "../encoding/protobuf/protobuf_store_info.ts";
import { plural } from "../base/plural.ts";

/** The index of one store. */
export interface StoredManifest {
  readonly storeId: StoreId;
  /** The schema of the recording, as an Arrow IPC stream. */
  readonly schema: Uint8Array;
  readonly sha256: Uint8Array;
  /** The table with one row for each chunk, as an Arrow IPC stream. */
  readonly table: Uint8Array;
}

/** A chunk that an index lists. */
export interface ListedChunk {
  /** Its id: 32 hex digits. */
  readonly id: string;
  /** Where its protobuf message begins in the file, behind the message's own header. */
  readonly offset: number;
  readonly size: number;
  readonly rows: number;
}

/** Most bytes of a table, decompressed. */
const MAX_TABLE_BYTES = 1024 * 1024 * 1024;

/**
 * Reads a footer.
 *
 * @param footer its bytes, without the trailer
 * @throws {InvalidMessage} if it is damaged, or lacks something that Rerun needs
 */
export function readFooter(footer: Uint8Array): StoredManifest[] {
  const manifests: StoredManifest[] = [];
  readMessage(footer, "RrdFooter", { 1: bytes((value) => manifests.push(readManifest(value))) });
  return manifests;
}

function readManifest(message: Uint8Array): StoredManifest {
  const budget = new ProtobufBudget();
  let storeId: StoreId | undefined;
  let schema: Uint8Array | undefined;
  let sha256: Uint8Array | undefined;
  let table: Uint8Array | undefined;
  readMessage(message, "RrdManifest", {
    1: bytes((value) => storeId = readStoreId(value, "v1alpha1", budget)),
    2: bytes((value) => readMessage(value, "Schema", { 1: bytes((stream) => schema = stream) })),
    3: bytes((value) => sha256 = value),
    4: bytes((value) => table = readTable(value)),
  }, budget);
  if (!storeId || !schema || !sha256 || !table) {
    throw new InvalidMessage("A chunk index without its store, schema, hash or table");
  }
  return { storeId, schema, sha256, table };
}

function readTable(message: Uint8Array): Uint8Array {
  let [version, compression, size] = [0, 0, 0];
  let payload: Uint8Array | undefined;
  readMessage(message, "DataframePart", {
    1: uint((value) => version = Number(value)),
    2: bytes((value) => payload = value),
    3: uint((value) => compression = Number(value)),
    4: uint((value) => size = Number(value)),
  });
  if (version !== 1 || payload === undefined || compression > 2) {
    throw new InvalidMessage("A chunk index in a form that is not known");
  }
  if (compression < 2) return payload;
  if (size > MAX_TABLE_BYTES) {
    throw new InvalidMessage(`A chunk index of ${plural(size, "byte")}, above ${MAX_TABLE_BYTES}`);
  }
  // Tables are mostly empty, so LZ4 may compress them as far as it can.
  checkLz4Ratio(payload.length, size, { ...DECODE_LIMITS, maxLz4Ratio: 256 });
  return inflateLz4(payload, size);
}

/** The columns that are read, which all indexes have, and their types. */
const COLUMNS = {
  chunk_id: "FixedSizeBinary",
  chunk_num_rows: "UInt64",
  chunk_byte_offset: "UInt64",
  chunk_byte_size: "UInt64",
} as const;

/**
 * The chunks that an index lists.
 *
 * @throws {InvalidMessage} if it is damaged, or lacks a column that all of them have
 */
export function* listedChunks({ table }: StoredManifest): Generator<ListedChunk> {
  const { fields } = readSchema(table);
  const wanted = (name: string): name is keyof typeof COLUMNS => Object.hasOwn(COLUMNS, name);
  const { body, rows, columns } = locateColumns(table, fields, ({ name }) => wanted(name));
  const places = new Map<string, number>();
  for (const { field, length, nulls, buffers, buffer } of columns) {
    const { name, type } = field;
    const [at, bytes] = buffers.at(buffer + 1);
    const needed = rows * (name === "chunk_id" ? 16 : 8);
    const isRight = wanted(name) && type === COLUMNS[name] && length === rows && nulls === 0;
    if (!isRight || bytes < needed || at + bytes > body.byteLength) {
      throw new InvalidMessage(`A chunk index whose column ${name} can't be read`);
    }
    places.set(name, at);
  }
  for (const name of Object.keys(COLUMNS)) {
    if (!places.has(name)) throw new InvalidMessage(`A chunk index without the column ${name}`);
  }
  const numberAt = (name: string, row: number) =>
    Number(body.getBigUint64(places.get(name)! + 8 * row, true));
  for (let row = 0; row < rows; row++) {
    let id = "";
    for (let i = 0; i < 16; i++) {
      const byte = body.getUint8(places.get("chunk_id")! + 16 * row + i);
      id += byte.toString(16).padStart(2, "0");
    }
    yield {
      id,
      offset: numberAt("chunk_byte_offset", row),
      size: numberAt("chunk_byte_size", row),
      rows: numberAt("chunk_num_rows", row),
    };
  }
}
