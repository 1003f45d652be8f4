/**
 * Checks that the columns of an Arrow record batch lie inside it, as their types demand:
 * https://arrow.apache.org/docs/format/Columnar.html#physical-memory-layout
 *
 * @module
 */
import type { Column } from "./_arrow_columns.ts";
import { damaged, T } from "./_arrow_types.ts";
import type { ArrowValues } from "./_arrow_values.ts";
import type { FlatPairs, FlatTable } from "./_flatbuffers.ts";
import { plural } from "../../base/plural.ts";

/** The offsets of a column, which are in the data, so that the metadata alone can't check them. */
export interface Offsets {
  /** Where the first is, in bytes from the start of the batch's data. */
  readonly first: number;
  readonly last: number;
  /** Bytes of an offset. */
  readonly size: number;
  /** Length of what they point into. */
  readonly limit: number;
}

/**
 * Where the parts of a column are in a record batch's data, in bytes from its start; −1 for parts
 * that it does not have.
 */
export interface DataPlace {
  readonly column: Column;
  /** How many values it has. */
  readonly length: number;
  /** How many of them are missing. */
  readonly nulls: number;
  /** The validity bitmap, with a bit for each value; only if some are missing. */
  readonly validityAt: number;
  /**
   * The values; for texts, binaries and lists their offsets, for unions the types, for views the
   * views.
   */
  readonly at: number;
  /** What the offsets of texts and binaries point into; for a dense union its offsets. */
  readonly dataAt: number;
  /** Length of that, in bytes. */
  readonly dataBytes: number;
  readonly children: readonly DataPlace[];
  /** The buffers that views point into: where each is, and how long. */
  readonly views: readonly (readonly [number, number])[];
}

const NO_PLACES: readonly DataPlace[] = [];
const NO_VIEWS: DataPlace["views"] = [];

/** Walks over the columns of one record batch. */
export class BatchWalk {
  /** Offsets that were found, and that must be checked in each batch. */
  readonly offsets: Offsets[] = [];
  readonly #body: DataView;
  readonly #nodes: FlatPairs;
  readonly #buffers: FlatPairs;
  readonly #views: readonly number[];
  readonly #unionBitmaps: boolean;
  readonly #dictionaries: ReadonlyMap<number, number>;
  readonly #values: ArrowValues | undefined;
  #node = 0;
  #buffer = 0;
  #view = 0;

  /**
   * @param batch a `RecordBatch` of Arrow's `Message.fbs`
   * @param body its data
   * @param unionBitmaps whether unions have a bitmap, as up to metadata version V4
   * @param dictionaries how many values they have, by their ids
   * @param values checks the values as well, if given
   */
  constructor(
    batch: FlatTable,
    body: DataView,
    unionBitmaps: boolean,
    dictionaries: ReadonlyMap<number, number>,
    values: ArrowValues | undefined,
  ) {
    this.#body = body;
    this.#nodes = batch.pairs(1);
    this.#buffers = batch.pairs(2);
    this.#views = batch.lengths(4);
    this.#unionBitmaps = unionBitmaps;
    this.#dictionaries = dictionaries;
    this.#values = values;
  }

  /**
   * Checks the next column.
   *
   * @param column its type
   * @param rows how long it must be; any length if left out
   * @param values whether it holds a dictionary's values, instead of indices into it
   * @returns where it is
   * @throws {InvalidMessage} if it is not inside the data
   */
  column(column: Column, rows?: number, values = false): DataPlace {
    const [length, nulls] = this.#nodes.at(this.#node++);
    if (rows !== undefined && length !== rows) {
      throw damaged(`a column has ${plural(length, "row")} instead of ${rows}`);
    }
    if (nulls > length) {
      throw damaged(`a column of ${plural(length, "row")} has ${plural(nulls, "null")}`);
    }
    if (column.dictionary !== undefined && !values) {
      const { id, bits } = column.dictionary;
      const validityAt = this.#bitmap(length, nulls);
      const [at] = this.#array(length, bits);
      const known = this.#dictionaries.get(id) ?? 0;
      const valid = validityAt < 0 ? undefined : validityAt;
      this.#values?.indices(at, length, bits / 8, valid, known);
      return place(column, length, nulls, validityAt, at);
    }
    return this.#data(column, length, nulls);
  }

  /** Index of the buffer that the next column begins with. */
  get buffer(): number {
    return this.#buffer;
  }

  /** Whether all columns and buffers of the batch were seen. */
  finish(): void {
    if (this.#node !== this.#nodes.length) {
      throw damaged("there are more columns than in the schema");
    }
    if (this.#buffer !== this.#buffers.length) {
      throw damaged("there are more buffers than columns need");
    }
  }

  #data(column: Column, length: number, nulls: number): DataPlace {
    const { type, size, children } = column;
    if (type === T.NULL) return place(column, length, nulls, -1, -1);
    if (type === T.UNION) return this.#union(column, length, nulls);
    const validityAt = this.#bitmap(length, nulls);
    switch (type) {
      case T.BINARY:
      case T.UTF8:
      case T.LARGE_BINARY:
      case T.LARGE_UTF8: {
        const at = this.#offsets(length, size);
        const [dataAt, bytes] = this.#next();
        this.#lead(at, length, size, bytes);
        const isText = type === T.UTF8 || type === T.LARGE_UTF8;
        if (isText && at >= 0) this.#values?.texts(at, length, size, dataAt);
        return place(column, length, nulls, validityAt, at, { dataAt, dataBytes: bytes });
      }
      case T.LIST:
      case T.LARGE_LIST:
      case T.MAP: {
        const at = this.#offsets(length, size);
        const child = this.column(children[0]!);
        this.#lead(at, length, size, child.length);
        return place(column, length, nulls, validityAt, at, { children: [child] });
      }
      case T.BINARY_VIEW:
      case T.UTF8_VIEW: {
        const [at] = this.#array(length, 128);
        const count = this.#views[this.#view++] ?? 0;
        // If more are declared than there are, this fails at the first missing buffer.
        const views: [number, number][] = [];
        for (let i = 0; i < count; i++) views.push(this.#next());
        this.#values?.views(column, at, length, views);
        return place(column, length, nulls, validityAt, at, { views });
      }
      case T.FIXED_LIST: {
        const child = this.column(children[0]!, length * size);
        return place(column, length, nulls, validityAt, -1, { children: [child] });
      }
      case T.STRUCT: {
        const places = children.map((child) => this.column(child, length));
        return place(column, length, nulls, validityAt, -1, { children: places });
      }
      default: {
        const [at] = this.#array(length, size);
        return place(column, length, nulls, validityAt, at);
      }
    }
  }

  #union(column: Column, length: number, nulls: number): DataPlace {
    const { size, typeIds } = column;
    const isDense = size === 1;
    const validityAt = this.#unionBitmaps ? this.#bitmap(length, nulls) : -1;
    const [typesAt] = this.#array(length, 8);
    const dataAt = isDense ? this.#array(length, 32)[0] : -1;
    const children = column.children.map((child) =>
      this.column(child, isDense ? undefined : length)
    );
    const lengths = children.map((child) => child.length);
    const offsetsAt = isDense ? dataAt : undefined;
    this.#values?.union(typeIds, length, typesAt, offsetsAt, lengths);
    return place(column, length, nulls, validityAt, typesAt, { dataAt, children });
  }

  /** The next buffer, inside the data. */
  #next(): [number, number] {
    const buffer = this.#buffers.at(this.#buffer++);
    const [at, bytes] = buffer;
    if (at + bytes > this.#body.byteLength) throw damaged("a buffer leads outside");
    if (at % 8 !== 0) throw damaged("a buffer is not aligned");
    return buffer;
  }

  #array(length: number, bits: number): [number, number] {
    const buffer = this.#next();
    const [, bytes] = buffer;
    if (length > 0 && Math.ceil(length / 8 * bits) > bytes) throw damaged("a buffer is too short");
    return buffer;
  }

  /** Where the bitmap is; −1 if no value is missing. */
  #bitmap(length: number, nulls: number): number {
    if (nulls === 0) {
      this.#next();
      return -1;
    }
    const [at] = this.#array(length, 1);
    this.#values?.nulls(at, length, nulls);
    return at;
  }

  /** Where the offsets are; −1 if there are none. */
  #offsets(length: number, size: number): number {
    if (length === 0) {
      this.#next();
      return -1;
    }
    const [at, bytes] = this.#array(length + 1, 8 * size);
    // Rerun 0.22 reads the whole buffer as offsets.
    if (bytes % size !== 0) throw damaged("a buffer ends inside an offset");
    return at;
  }

  #lead(first: number, length: number, size: number, limit: number): void {
    if (first < 0) return;
    const offsets = { first, last: first + length * size, size, limit };
    checkOffsets(this.#body, offsets);
    this.offsets.push(offsets);
    this.#values?.offsets(first, length, size);
  }
}

/**
 * Checks the first and the last offset.
 *
 * @param body the batch's data
 * @throws {InvalidMessage} if they point outside
 */
export function checkOffsets(body: DataView, { first, last, size, limit }: Offsets): void {
  const start = offsetAt(body, first, size);
  const end = offsetAt(body, last, size);
  if (start < 0 || end < start) throw damaged("an offset is out of order");
  if (end > limit) throw damaged("a text, binary or list leads outside");
}

function offsetAt(body: DataView, at: number, size: number): number {
  return size === 4 ? body.getInt32(at, true) : Number(body.getBigInt64(at, true));
}

function place(
  column: Column,
  length: number,
  nulls: number,
  validityAt: number,
  at: number,
  { dataAt = -1, dataBytes = 0, children = NO_PLACES, views = NO_VIEWS }: Partial<
    Pick<DataPlace, "dataAt" | "dataBytes" | "children" | "views">
  > = {},
): DataPlace {
  return { column, length, nulls, validityAt, at, dataAt, dataBytes, children, views };
}
