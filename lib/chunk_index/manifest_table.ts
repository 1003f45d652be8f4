/**
 * Encodes the table of an index as a compressed Arrow IPC stream. It is written column by column,
 * so that only compressed cells are in memory.
 *
 * @module
 */
import {
  END_OF_STREAM,
  recordBatchMessage,
  schemaMessage,
} from "../encoding/arrow/write_stream.ts";
import { Lz4Writer } from "../encoding/lz4/lz4_writer.ts";
import type { ManifestColumn } from "./manifest_columns.ts";
import { NotIndexable } from "./not_indexable.ts";

/** The table of an index, compressed. */
export interface ManifestTable {
  /** One LZ4 block. */
  readonly payload: Uint8Array;
  /** What it inflates to, in bytes. */
  readonly uncompressedSize: number;
}

/** Most bytes of a column of texts, whose offsets have 31 bits. */
const MAX_TEXT_BYTES = 256 * 1024 * 1024;

const utf8 = new TextEncoder();

/**
 * Encodes the table.
 *
 * @param columns the columns of the table
 * @param rows the number of rows
 * @throws {NotIndexable} if its texts are too long
 */
export function encodeTable(columns: readonly ManifestColumn[], rows: number): ManifestTable {
  const nodes: [number, number][] = [];
  const buffers: [number, number][] = [];
  let bodyBytes = 0;
  const place = (bytes: number) => {
    buffers.push([bodyBytes, bytes]);
    bodyBytes += padded(bytes);
  };
  for (const { values } of columns) {
    const nulls = values.kind === "time" ? count(rows, (row) => values.at(row) === undefined) : 0;
    nodes.push([rows, nulls]);
    place(nulls > 0 ? Math.ceil(rows / 8) : 0);
    if (values.kind === "text") {
      place(4 * (rows + 1));
      place(textBytes(rows, values.at));
    } else if (values.kind === "truth") place(Math.ceil(rows / 8));
    else place((values.kind === "bytes" ? 16 : 8) * rows);
  }
  const out = new BodyWriter(new Lz4Writer());
  out.bytes(schemaMessage(columns.map(({ field }) => field)));
  out.bytes(recordBatchMessage(rows, nodes, buffers, bodyBytes));
  columns.forEach(({ values }, i) => writeColumn(out, values, rows, nodes[i]![1] > 0));
  out.bytes(END_OF_STREAM);
  return out.finish();
}

function writeColumn(
  out: BodyWriter,
  values: ManifestColumn["values"],
  rows: number,
  hasNulls: boolean,
): void {
  switch (values.kind) {
    case "text": {
      let end = 0;
      out.i32(0);
      for (let row = 0; row < rows; row++) {
        end += utf8.encode(values.at(row)).length;
        out.i32(end);
      }
      out.pad();
      for (let row = 0; row < rows; row++) out.bytes(utf8.encode(values.at(row)));
      return out.pad();
    }
    case "bytes":
      for (let row = 0; row < rows; row++) out.bytes(values.at(row));
      return out.pad();
    case "truth":
      return out.bits(rows, values.at);
    case "number":
      for (let row = 0; row < rows; row++) out.u64(values.at(row));
      return;
    case "time":
      if (hasNulls) out.bits(rows, (row) => values.at(row) !== undefined);
      for (let row = 0; row < rows; row++) out.i64(values.at(row) ?? 0n);
  }
}

function textBytes(rows: number, at: (row: number) => string): number {
  let bytes = 0;
  for (let row = 0; row < rows; row++) bytes += utf8.encode(at(row)).length;
  if (bytes > MAX_TEXT_BYTES) throw new NotIndexable("the paths of its chunks are too long");
  return bytes;
}

function count(rows: number, is: (row: number) => boolean): number {
  let sum = 0;
  for (let row = 0; row < rows; row++) if (is(row)) sum++;
  return sum;
}

function padded(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

/** How many bytes are gathered before they are compressed. */
const BLOCK_BYTES = 64 * 1024;
/** Values up to this length, in bytes, are gathered before they are written. */
const MOST_VALUE_BYTES = 16;

class BodyWriter {
  readonly #lz4: Lz4Writer;
  readonly #block = new Uint8Array(BLOCK_BYTES);
  readonly #view = new DataView(this.#block.buffer);
  #at = 0;
  /** Bytes written since the last padding. */
  #written = 0;

  constructor(lz4: Lz4Writer) {
    this.#lz4 = lz4;
  }

  bytes(bytes: Uint8Array): void {
    if (bytes.length <= MOST_VALUE_BYTES) {
      this.#block.set(bytes, this.#take(bytes.length));
      return;
    }
    this.#flush();
    this.#lz4.write(bytes);
    this.#written += bytes.length;
  }

  i32(value: number): void {
    this.#view.setInt32(this.#take(4), value, true);
  }

  u64(value: number): void {
    const at = this.#take(8);
    this.#view.setUint32(at, value % 2 ** 32, true);
    this.#view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
  }

  i64(value: bigint): void {
    this.#view.setBigInt64(this.#take(8), value, true);
  }

  bits(rows: number, at: (row: number) => boolean): void {
    for (let row = 0; row < rows; row += 8) {
      let byte = 0;
      for (let bit = 0; bit < 8 && row + bit < rows; bit++) if (at(row + bit)) byte |= 1 << bit;
      this.#block[this.#take(1)] = byte;
    }
    this.pad();
  }

  pad(): void {
    const rest = this.#written % 8;
    if (rest > 0) this.#block.fill(0, this.#take(8 - rest), this.#at);
  }

  finish(): ManifestTable {
    this.#flush();
    const payload = this.#lz4.finish();
    return { payload, uncompressedSize: this.#lz4.length };
  }

  #take(bytes: number): number {
    if (this.#at + bytes > BLOCK_BYTES) this.#flush();
    const at = this.#at;
    this.#at += bytes;
    this.#written += bytes;
    return at;
  }

  #flush(): void {
    this.#lz4.write(this.#block.subarray(0, this.#at));
    this.#at = 0;
  }
}
