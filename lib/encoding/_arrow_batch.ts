/**
 * Whether the columns of an Arrow record batch lie inside it, as their types say they must:
 * https://arrow.apache.org/docs/format/Columnar.html#physical-memory-layout
 *
 * @module
 */
import { type Column, damaged, T } from "./_arrow_columns.ts";
import type { FlatPairs, FlatTable } from "./_flatbuffers.ts";

/** Walks over the columns of one record batch. */
export class BatchWalk {
  readonly #body: DataView;
  readonly #nodes: FlatPairs;
  readonly #buffers: FlatPairs;
  readonly #views: readonly number[];
  readonly #unionBitmaps: boolean;
  #node = 0;
  #buffer = 0;
  #view = 0;

  /**
   * @param batch a `RecordBatch` of Arrow's `Message.fbs`
   * @param body its data
   * @param unionBitmaps whether unions have one, as up to metadata version V4
   */
  constructor(batch: FlatTable, body: DataView, unionBitmaps: boolean) {
    this.#body = body;
    this.#nodes = batch.pairs(1);
    this.#buffers = batch.pairs(2);
    this.#views = batch.lengths(4);
    this.#unionBitmaps = unionBitmaps;
  }

  /**
   * Checks the next column.
   *
   * @param column its type
   * @param rows how long it must be; any length if undefined
   * @param values whether it holds a dictionary's values, instead of indices into it
   * @returns its length
   * @throws {InvalidMessage} if it is not inside the data
   */
  column(column: Column, rows?: number, values = false): number {
    const [length, nulls] = this.#nodes.at(this.#node++);
    if (rows !== undefined && length !== rows) {
      throw damaged(`a column has ${length} rows instead of ${rows}`);
    }
    if (nulls > length) throw damaged(`a column of ${length} rows has ${nulls} nulls`);
    if (column.dictionary !== undefined && !values) {
      this.#bitmap(length, nulls);
      this.#array(length, column.dictionary.bits);
    } else this.#data(column, length, nulls);
    return length;
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

  #data({ type, size, children }: Column, length: number, nulls: number): void {
    if (type === T.NULL) return;
    if (type === T.UNION) return this.#union(children, size === 1, length, nulls);
    this.#bitmap(length, nulls);
    switch (type) {
      case T.BINARY:
      case T.UTF8:
      case T.LARGE_BINARY:
      case T.LARGE_UTF8: {
        const end = this.#offsets(length, size);
        if (this.#next()[1] < end) throw damaged("a text or binary leads outside");
        return;
      }
      case T.LIST:
      case T.LARGE_LIST:
      case T.MAP: {
        const end = this.#offsets(length, size);
        if (this.column(children[0]!) < end) throw damaged("a list leads outside");
        return;
      }
      case T.BINARY_VIEW:
      case T.UTF8_VIEW: {
        this.#array(length, 128);
        const count = this.#views[this.#view++] ?? 0;
        for (let i = 0; i < count; i++) this.#next();
        return;
      }
      case T.FIXED_LIST:
        return void this.column(children[0]!, length * size);
      case T.STRUCT:
        for (const child of children) this.column(child, length);
        return;
      default:
        this.#array(length, size);
    }
  }

  #union(children: readonly Column[], dense: boolean, length: number, nulls: number): void {
    if (this.#unionBitmaps) this.#bitmap(length, nulls);
    this.#array(length, 8);
    if (dense) this.#array(length, 32);
    for (const child of children) this.column(child, dense ? undefined : length);
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

  #bitmap(length: number, nulls: number): void {
    if (nulls > 0) this.#array(length, 1);
    else this.#next();
  }

  /** Looks at the first and the last offset; returns the last. */
  #offsets(length: number, size: number): number {
    if (length === 0) {
      this.#next();
      return 0;
    }
    const [at, bytes] = this.#array(length + 1, 8 * size);
    // Rerun 0.22 reads all of it as offsets.
    if (bytes % size !== 0) throw damaged("a buffer ends inside an offset");
    const first = this.#offset(at, size);
    const last = this.#offset(at + length * size, size);
    if (first < 0 || last < first) throw damaged("an offset is out of order");
    return last;
  }

  #offset(at: number, size: number): number {
    return size === 4 ? this.#body.getInt32(at, true) : Number(this.#body.getBigInt64(at, true));
  }
}
