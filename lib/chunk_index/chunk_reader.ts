/**
 * Reads from a chunk what an index keeps of it. The beginning of the Arrow data is enough, since
 * times stand first there.
 *
 * @module
 */
import { InvalidMessage } from "../base/errors.ts";
import { type BatchFront, batchFront, metadataEnd } from "../encoding/arrow/batch_front.ts";
import { KnownSchemas, schemaBytes } from "../encoding/arrow/known_schemas.ts";
import { readSchemaTree, type TextPlace } from "../encoding/arrow/schema_tree.ts";
import { inflateLz4Front } from "../encoding/lz4/lz4.ts";
import { deflatedBound } from "../encoding/lz4/lz4_deflate.ts";
import { type ChunkSchema, type ColumnSlot, readChunkSchema } from "./chunk_schema.ts";

/** The Arrow data of a message; its end may be missing. */
export interface ArrowFront {
  readonly bytes: Uint8Array;
  /** How many bytes of Arrow data the message has. */
  readonly storedBytes: number;
  readonly compression: "off" | "lz4";
  readonly uncompressedSize: number;
}

/** What an index keeps of a chunk. */
export interface ChunkFacts {
  readonly schema: ChunkSchema;
  /** The id in its schema: 16 bytes, big endian. */
  readonly id: Uint8Array | undefined;
  readonly rows: number;
  /** The lowest and highest time on each timeline, in the schema's order; none without rows. */
  readonly ranges: readonly bigint[];
  /** Components that are missing in some rows, by their index in the schema. */
  readonly sparse: ReadonlyMap<number, Sparse>;
  /** Whether a component has a value in any row, in the schema's order. */
  readonly hasValues: readonly boolean[];
}

/** A component that is missing in some rows. */
export interface Sparse {
  /** How many rows it is in. */
  readonly rows: number;
  /**
   * The times of these rows, as in {@linkcode ChunkFacts.ranges}; the times of the whole chunk if
   * too much would have to be read.
   */
  readonly ranges: readonly bigint[];
}

/** Says that more of the Arrow data is needed: so many bytes, as stored. */
export class MoreBytes {
  constructor(readonly bytes: number) {}
}

/** So many bytes at the beginning are enough for most chunks. */
const FIRST_BYTES = 4096;
/** Most bytes that are decompressed for the times of a chunk: a few million rows. */
const MOST_BYTES = 64 * 1024 * 1024;
/** Most bytes that are decompressed to find the nulls of a component. */
const MOST_SPARSE_BYTES = 16 * 1024 * 1024;

/** Reads chunks, and remembers the schemas of the last ones. */
export class ChunkReader {
  readonly #schemas = new KnownSchemas<ChunkSchema>();
  #enough = FIRST_BYTES;

  /**
   * Reads a chunk.
   *
   * @param arrow its Arrow data, or the beginning of it
   * @returns the facts, or how much of the data is needed
   * @throws {InvalidMessage} if it is damaged, or has something that can't be indexed
   */
  read(arrow: ArrowFront): ChunkFacts | MoreBytes {
    const { bytes, storedBytes, compression, uncompressedSize } = arrow;
    const all = compression === "off" ? storedBytes : uncompressedSize;
    let enough = Math.min(this.#enough, all);
    for (;;) {
      if (enough > MOST_BYTES) {
        throw new InvalidMessage(`A chunk whose times reach over ${MOST_BYTES} bytes`);
      }
      const stored = compression === "off" ? enough : Math.min(storedBytes, deflatedBound(enough));
      if (bytes.length < stored) return new MoreBytes(stored);
      const front = compression === "off" ? bytes : inflateLz4Front(bytes, enough, storedBytes);
      const found = this.#facts(front, all);
      if (typeof found !== "number") return found;
      if (found > all) throw new InvalidMessage("Arrow data that is cut short");
      if (compression === "lz4" && front.length < enough) {
        // A long run of literals may begin here: LZ4 writes its length with one byte for each 255.
        const most = Math.min(storedBytes, deflatedBound(enough) + Math.ceil(storedBytes / 255));
        if (bytes.length < most) return new MoreBytes(most);
        throw new InvalidMessage("An LZ4 block that holds less than it says");
      }
      if (found <= front.length) throw new InvalidMessage("Damaged Arrow data");
      enough = found;
      // The next chunk of the same source is likely to need about as much.
      this.#enough = Math.min(Math.max(FIRST_BYTES, Math.ceil(found / 1024) * 1024), MOST_BYTES);
    }
  }

  /** The facts, or how many bytes of the decompressed data are needed. */
  #facts(ipc: Uint8Array, all: number): ChunkFacts | number {
    const schemaEnd = metadataEnd(ipc, 0) ?? 8;
    // The message behind the schema is needed in any case; its first 8 bytes tell its length.
    if (schemaEnd + 8 > ipc.length) return schemaEnd + 8;
    const schema = this.#schema(ipc);
    const batch = batchFront(ipc, schemaEnd);
    if (typeof batch === "number") return batch;
    const { rows, bodyAt, bodyBytes, nodes } = batch;
    if (bodyAt + bodyBytes > all) throw new InvalidMessage("An Arrow record batch is cut short");
    const places: number[] = [];
    let needs = 0;
    for (const index of schema.indexes) {
      const [length, nulls] = nodes.at(index.node);
      if (length !== rows) throw new InvalidMessage("A timeline is not as long as its chunk");
      if (nulls !== 0) throw new InvalidMessage("A timeline has gaps");
      const at = bufferAt(batch, index, 1, 8 * rows);
      places.push(at);
      needs = Math.max(needs, at + 8 * rows);
    }
    const sparse: { index: number; rows: number; bitsAt: number | undefined }[] = [];
    const hasValues: boolean[] = [];
    schema.components.forEach((component, index) => {
      const [length, nulls] = nodes.at(component.node);
      if (length !== rows) throw new InvalidMessage("A column is not as long as its chunk");
      hasValues.push(nodes.at(component.node + 1)[0] > 0);
      if (nulls === 0) return;
      if (nulls > rows) throw new InvalidMessage("A column has more nulls than rows");
      let bitsAt: number | undefined;
      if (schema.indexes.length > 0 && nulls < rows && component.buffer !== undefined) {
        const bytes = Math.ceil(rows / 8);
        const at = bufferAt(batch, component, 0, bytes);
        if (at + bytes <= MOST_SPARSE_BYTES) {
          bitsAt = at;
          needs = Math.max(needs, at + bytes);
        }
      }
      sparse.push({ index, rows: rows - nulls, bitsAt });
    });
    if (needs > ipc.length) return needs;
    const view = new DataView(ipc.buffer, ipc.byteOffset, ipc.byteLength);
    const ranges = rangesOf(view, places, rows);
    return {
      ...{ schema, rows, ranges, hasValues },
      id: schema.idPlace && readId(ipc, schema.idPlace),
      sparse: new Map(sparse.map(({ index, rows: own, bitsAt }) => [index, {
        rows: own,
        ranges: own === 0
          ? []
          : bitsAt === undefined
          ? ranges
          : rangesOf(view, places, rows, bitsAt),
      }])),
    };
  }

  #schema(ipc: Uint8Array): ChunkSchema {
    const bytes = schemaBytes(ipc);
    const known = this.#schemas.find(bytes, undefined);
    if (known !== undefined) return known;
    const { start, end } = bytes.place;
    const reads = new Uint8Array(end - start);
    const tree = readSchemaTree(ipc, reads);
    const schema = readChunkSchema(tree);
    const key = tree.tags.find(({ key }) => /^rerun[:.]entity_path$/.test(key))?.place;
    if (key !== undefined) {
      const open = schema.idPlace === undefined ? [] : [schema.idPlace];
      this.#schemas.add(bytes, tree, reads, { key, open, owner: undefined }, schema);
    }
    return schema;
  }
}

function bufferAt(
  { buffers, bodyAt, bodyBytes }: BatchFront,
  { buffer }: ColumnSlot,
  index: number,
  needed: number,
): number {
  if (buffer === undefined) {
    throw new InvalidMessage(
      "A timeline comes after a column of a type whose layout is not known here",
    );
  }
  const [at, bytes] = buffers.at(buffer + index);
  if (needed > bytes || at + bytes > bodyBytes) {
    throw new InvalidMessage("A column is cut short");
  }
  return bodyAt + at;
}

/** The lowest and highest value of each column, of all rows or of those whose bit is set. */
function rangesOf(
  view: DataView,
  places: readonly number[],
  rows: number,
  bitsAt?: number,
): bigint[] {
  if (rows === 0) return [];
  return places.flatMap((at) => {
    // Compares 64-bit numbers as two halves, since comparing big integers takes several times as
    // long.
    let [min, max] = [-1, -1];
    let [minHigh, minLow, maxHigh, maxLow] = [0, 0, 0, 0];
    for (let row = 0; row < rows; row++) {
      if (bitsAt !== undefined && (view.getUint8(bitsAt + (row >> 3)) >> (row & 7) & 1) === 0) {
        continue;
      }
      const low = view.getUint32(at + 8 * row, true);
      const high = view.getInt32(at + 8 * row + 4, true);
      if (min < 0 || high < minHigh || high === minHigh && low < minLow) {
        [min, minHigh, minLow] = [row, high, low];
      }
      if (max < 0 || high > maxHigh || high === maxHigh && low > maxLow) {
        [max, maxHigh, maxLow] = [row, high, low];
      }
    }
    if (min < 0) throw new InvalidMessage("A column has other nulls than it says");
    return [view.getBigInt64(at + 8 * min, true), view.getBigInt64(at + 8 * max, true)];
  });
}

/** Reads an id of 32 hex digits, which has a prefix since SDK 0.23. */
function readId(ipc: Uint8Array, { start, end }: TextPlace): Uint8Array | undefined {
  if (end - start < 32) return undefined;
  const id = new Uint8Array(16);
  const at = schemaBytes(ipc).place.start + end - 32;
  for (let i = 0; i < 16; i++) {
    const [high, low] = [hexDigit(ipc[at + 2 * i]!), hexDigit(ipc[at + 2 * i + 1]!)];
    if (high < 0 || low < 0) return undefined;
    id[i] = high << 4 | low;
  }
  return id;
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}
