/**
 * Reads values in an Arrow record batch in place; each place is checked before it is read:
 * https://arrow.apache.org/docs/format/Columnar.html#physical-memory-layout
 *
 * @module
 */
import type { DataPlace } from "./_arrow_batch.ts";
import { halves, isNumber, type Numbers, numbersOf } from "./_arrow_numbers.ts";
import { damaged, T } from "./_arrow_types.ts";

export type { Numbers } from "./_arrow_numbers.ts";

/** How deep types and dictionaries may be nested. */
const MAX_DEPTH = 32;
/** How many values of one row may be made one by one. */
const MAX_VALUES = 1 << 22;
/**
 * How many of them a byte of data may unfold to, and how many are allowed however small the data
 * is.
 */
const VALUES_PER_BYTE = 8;
const SOME_VALUES = 1024;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const FEW = 4;

/** A part of a dictionary: deltas come in batches of their own. */
export interface DictionaryPart {
  readonly values: BatchValues;
  readonly place: DataPlace;
}

/** Reads the values of one record batch. */
export class BatchValues {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #dictionaries: ReadonlyMap<number, readonly DictionaryPart[]>;
  #left = 0;
  #depth = 0;

  /**
   * @param bytes the batch's data
   * @param dictionaries by their ids
   */
  constructor(
    bytes: Uint8Array,
    dictionaries: ReadonlyMap<number, readonly DictionaryPart[]>,
  ) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#dictionaries = dictionaries;
  }

  /** The buffer that the data is in. */
  get buffer(): ArrayBufferLike {
    return this.#bytes.buffer;
  }

  /** Whether there is a value in a row. */
  isValid({ validityAt }: DataPlace, row: number): boolean {
    return validityAt < 0 || (this.#bytes[validityAt + (row >> 3)]! >> (row & 7) & 1) === 1;
  }

  /**
   * The value in a row; for a list, its items.
   *
   * @param place of the column
   * @param row below its length
   * @returns `undefined` if there is none
   * @throws {InvalidMessage} if the data is damaged
   */
  row(place: DataPlace, row: number): unknown {
    if (!this.isValid(place, row)) return undefined;
    this.#left = Math.min(MAX_VALUES, SOME_VALUES + VALUES_PER_BYTE * this.#bytes.length);
    this.#depth = 0;
    return this.#value(place, row);
  }

  /** Whether a column has plain numbers, or a fixed number of them in each value, none missing. */
  isNumbers(place: DataPlace): boolean {
    const { column: { type, dictionary }, nulls, children } = place;
    if (nulls > 0 || dictionary !== undefined) return false;
    return type === T.FIXED_LIST ? this.isNumbers(children[0]!) : isNumber(place);
  }

  /** Whether the rows of a column are lists. */
  isList({ column: { type, dictionary } }: DataPlace): boolean {
    return dictionary === undefined && (type === T.LIST || type === T.LARGE_LIST);
  }

  /**
   * Numbers of a column, one after another.
   *
   * @param place of a column that is of numbers
   * @param start the first value
   * @param end behind the last
   * @returns a view of the numbers; a copy if they are not aligned
   */
  numbers(place: DataPlace, start = 0, end: number = place.length): Numbers {
    const { column: { type, size }, at, children } = place;
    if (type === T.FIXED_LIST) return this.numbers(children[0]!, start * size, end * size);
    if (!isNumber(place)) throw damaged("a column is not of numbers");
    const of = numbersOf(place);
    if (end === start) return new of(0);
    const first = at + start * size / 8;
    const bytes = this.#bytes;
    if (type === T.FLOAT && size === 16) {
      return halves(this.#view, first, end - start);
    }
    const offset = bytes.byteOffset + first;
    if (offset * 8 % size === 0) return new of(bytes.buffer, offset, end - start);
    if (end - start <= FEW) return this.#few(new of(end - start), first);
    return new of(bytes.slice(first, at + end * size / 8).buffer, 0, end - start);
  }

  /** Reads a few numbers one by one, which is faster than copying. */
  #few(numbers: Numbers, at: number): Numbers {
    const view = this.#view;
    const { length } = numbers;
    if (numbers instanceof Float64Array) {
      for (let i = 0; i < length; i++) numbers[i] = view.getFloat64(at + 8 * i, true);
    } else if (numbers instanceof BigInt64Array || numbers instanceof BigUint64Array) {
      for (let i = 0; i < length; i++) numbers[i] = view.getBigInt64(at + 8 * i, true);
    } else if (numbers instanceof Float32Array) {
      for (let i = 0; i < length; i++) numbers[i] = view.getFloat32(at + 4 * i, true);
    } else if (numbers.BYTES_PER_ELEMENT === 4) {
      for (let i = 0; i < length; i++) numbers[i] = view.getInt32(at + 4 * i, true);
    } else {
      for (let i = 0; i < length; i++) numbers[i] = view.getInt16(at + 2 * i, true);
    }
    return numbers;
  }

  /**
   * Where the items of each row of a list begin, with the end of the last row as its last item.
   *
   * @param place of the list
   * @throws {InvalidMessage} if they lead outside
   */
  offsets(place: DataPlace): Float64Array {
    const offsets = new Float64Array(place.length + 1);
    for (let row = 0; row < place.length; row++) {
      const [start, end] = this.#range(place, row, place.children[0]!.length);
      offsets[row] = start;
      offsets[row + 1] = end;
    }
    return offsets;
  }

  #value(place: DataPlace, row: number): unknown {
    this.#take(1);
    const { column: { type, size, dictionary }, at, children } = place;
    if (dictionary !== undefined) {
      return this.#fromDictionary(dictionary.id, this.#integer(at, row, dictionary.bits));
    }
    switch (type) {
      case T.NULL:
        return null;
      case T.BOOL:
        return (this.#bytes[at + (row >> 3)]! >> (row & 7) & 1) === 1;
      case T.UTF8:
      case T.LARGE_UTF8:
      case T.BINARY:
      case T.LARGE_BINARY: {
        const [start, end] = this.#range(place, row, place.dataBytes);
        return this.#bytesOrText(place, place.dataAt + start, place.dataAt + end);
      }
      case T.UTF8_VIEW:
      case T.BINARY_VIEW:
        return this.#viewed(place, row);
      case T.LIST:
      case T.LARGE_LIST:
      case T.MAP: {
        const [start, end] = this.#range(place, row, children[0]!.length);
        return this.#items(children[0]!, start, end);
      }
      case T.FIXED_LIST:
        return this.#items(children[0]!, row * size, (row + 1) * size);
      case T.FIXED_BINARY:
        return this.#bytes.subarray(at + row * size / 8, at + (row + 1) * size / 8);
      case T.STRUCT:
        return this.#struct(place, row);
      case T.UNION:
        return this.#union(place, row);
      case T.DECIMAL:
        return this.#wide(at + row * size / 8, size);
      case T.INTERVAL:
        if (size > 32) return this.#interval(at + row * size / 8, size);
    }
    return this.numbers(place, row, row + 1)[0];
  }

  /** A value in a list or a struct, which may be `null`. */
  #valueOrNull(place: DataPlace, row: number): unknown {
    return this.isValid(place, row) ? this.#value(place, row) : null;
  }

  #items(place: DataPlace, start: number, end: number): unknown {
    if (this.isNumbers(place)) return this.numbers(place, start, end);
    if (++this.#depth > MAX_DEPTH) throw damaged(`values are nested deeper than ${MAX_DEPTH}`);
    if (end - start > this.#left) this.#take(end - start);
    const items: unknown[] = [];
    for (let row = start; row < end; row++) items.push(this.#valueOrNull(place, row));
    this.#depth--;
    return items;
  }

  #struct({ column, children }: DataPlace, row: number): unknown {
    if (++this.#depth > MAX_DEPTH) throw damaged(`values are nested deeper than ${MAX_DEPTH}`);
    // From entries, since a peer may call a field `__proto__`.
    const entries = children.map((child, i): [string, unknown] => [
      column.children[i]!.field.name,
      this.#valueOrNull(child, row),
    ]);
    this.#depth--;
    return Object.fromEntries(entries);
  }

  /** The value of a union, with its kind. */
  #union({ column, at, dataAt, children }: DataPlace, row: number): unknown {
    if (++this.#depth > MAX_DEPTH) throw damaged(`values are nested deeper than ${MAX_DEPTH}`);
    const which = column.typeIds.indexOf(this.#view.getInt8(at + row));
    const child = children[which];
    if (child === undefined) throw damaged("a row is of a type that its union does not have");
    const index = dataAt < 0 ? row : this.#view.getInt32(dataAt + 4 * row, true);
    if (index < 0 || index >= child.length) throw damaged("a union leads outside");
    const value = this.#valueOrNull(child, index);
    this.#depth--;
    return { kind: column.children[which]!.field.name, value };
  }

  #fromDictionary(id: number, index: number): unknown {
    let at = index;
    for (const { values, place } of index < 0 ? [] : this.#dictionaries.get(id) ?? []) {
      if (at >= place.length) {
        at -= place.length;
        continue;
      }
      if (++this.#depth > MAX_DEPTH) throw damaged(`values are nested deeper than ${MAX_DEPTH}`);
      const value = this.#lend(values, place, at);
      this.#depth--;
      return value;
    }
    throw damaged("an index leads outside its dictionary");
  }

  /** Reads a value in another batch, and counts it here. */
  #lend(values: BatchValues, place: DataPlace, row: number): unknown {
    values.#left = this.#left;
    values.#depth = this.#depth;
    const value = values.isValid(place, row) ? values.#stored(place, row) : null;
    this.#left = values.#left;
    return value;
  }

  /** A value in a dictionary. */
  #stored(place: DataPlace, row: number): unknown {
    const { dictionary: _, ...column } = place.column;
    return this.#value({ ...place, column: { ...column, dictionary: undefined } }, row);
  }

  #range(place: DataPlace, row: number, limit: number): [number, number] {
    const { column: { size }, at } = place;
    const start = this.#integer(at, row, 8 * size);
    const end = this.#integer(at, row + 1, 8 * size);
    if (start < 0 || end < start || end > limit) {
      throw damaged("a text, binary or list leads outside");
    }
    return [start, end];
  }

  #viewed(place: DataPlace, row: number): unknown {
    const at = place.at + 16 * row;
    const length = this.#view.getInt32(at, true);
    if (length < 0) throw damaged("a view leads outside");
    if (length <= 12) return this.#bytesOrText(place, at + 4, at + 4 + length);
    const view = place.views[this.#view.getInt32(at + 8, true)];
    const offset = this.#view.getInt32(at + 12, true);
    if (view === undefined || offset < 0 || offset + length > view[1]) {
      throw damaged("a view leads outside");
    }
    return this.#bytesOrText(place, view[0] + offset, view[0] + offset + length);
  }

  #bytesOrText({ column: { type } }: DataPlace, start: number, end: number): unknown {
    const bytes = this.#bytes.subarray(start, end);
    if (type === T.BINARY || type === T.LARGE_BINARY || type === T.BINARY_VIEW) return bytes;
    this.#take(bytes.length >> 3);
    try {
      return utf8.decode(bytes);
    } catch {
      throw damaged("a text is not UTF-8");
    }
  }

  #integer(at: number, row: number, bits: number): number {
    switch (bits) {
      case 8:
        return this.#view.getInt8(at + row);
      case 16:
        return this.#view.getInt16(at + 2 * row, true);
      case 32:
        return this.#view.getInt32(at + 4 * row, true);
      default:
        return Number(this.#view.getBigInt64(at + 8 * row, true));
    }
  }

  /** An integer of several words, as decimals are stored, without their decimal point. */
  #wide(at: number, bits: number): bigint {
    let value = 0n;
    for (let byte = bits - 64; byte >= 0; byte -= 64) {
      value = value << 64n | this.#view.getBigUint64(at + byte / 8, true);
    }
    return BigInt.asIntN(bits, value);
  }

  #interval(at: number, bits: number): unknown {
    const [first, second] = [this.#view.getInt32(at, true), this.#view.getInt32(at + 4, true)];
    return bits === 64
      ? { days: first, milliseconds: second }
      : { months: first, days: second, nanoseconds: this.#view.getBigInt64(at + 8, true) };
  }

  #take(values: number): void {
    this.#left -= values;
    if (this.#left < 0) throw damaged(`a row unfolds to more than ${MAX_VALUES} values`);
  }
}
