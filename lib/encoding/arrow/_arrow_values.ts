/**
 * Checks the values in Arrow columns that readers rely on:
 * https://arrow.apache.org/docs/format/Columnar.html#physical-memory-layout
 *
 * @module
 */
import type { Column } from "./_arrow_columns.ts";
import { damaged, T } from "./_arrow_types.ts";
import { plural } from "../../base/plural.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes of a view, and how many bytes a view holds in itself. */
const VIEW_BYTES = 16;
const INLINE_BYTES = 12;

/** Checks the values in one record batch's data; that places are inside was checked before. */
export class ArrowValues {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;

  /** @param body data of a record batch */
  constructor(body: DataView) {
    this.#view = body;
    this.#bytes = new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  }

  /** Checks that as many rows are null as the batch says. */
  nulls(at: number, length: number, declared: number): void {
    let valid = 0;
    for (let i = 0; i < length >> 3; i++) valid += ones(this.#bytes[at + i]!);
    const rest = length & 7;
    if (rest > 0) valid += ones(this.#bytes[at + (length >> 3)]! & ((1 << rest) - 1));
    if (length - valid !== declared) {
      throw damaged(`${plural(length - valid, "null")} instead of ${declared}`);
    }
  }

  /** Checks that none of `length + 1` offsets is less than the one before it. */
  offsets(at: number, length: number, size: number): void {
    let last = 0;
    for (let i = 0; i <= length; i++) {
      const offset = this.#integer(at + i * size, size);
      if (offset < last) throw damaged("an offset is out of order");
      last = offset;
    }
  }

  /** Checks that each text is UTF-8. */
  texts(offsetsAt: number, length: number, size: number, dataAt: number): void {
    const offset = (i: number) => this.#integer(offsetsAt + i * size, size);
    const [first, last] = [offset(0), offset(length)];
    const all = this.#bytes.subarray(dataAt + first, dataAt + last);
    if (isAscii(all)) return;
    this.#text(all);
    // All texts together are UTF-8, so each one is if none begins inside a character.
    for (let i = 1; i < length; i++) {
      const at = offset(i);
      if (at < last && (this.#bytes[dataAt + at]! & 0xc0) === 0x80) {
        throw damaged("a text is not UTF-8");
      }
    }
  }

  /** Checks that views point into their buffers, and that texts among them are UTF-8. */
  views({ type }: Column, at: number, length: number, buffers: readonly [number, number][]): void {
    for (let view = at; view < at + VIEW_BYTES * length; view += VIEW_BYTES) {
      const bytes = this.#integer(view, 4);
      let start = view + 4;
      if (bytes > INLINE_BYTES) {
        const buffer = buffers[this.#integer(view + 8, 4)];
        const offset = this.#integer(view + 12, 4);
        if (buffer === undefined || offset < 0 || offset + bytes > buffer[1]) {
          throw damaged("a view leads outside");
        }
        start = buffer[0] + offset;
      } else if (bytes < 0) throw damaged("a view leads outside");
      if (type === T.UTF8_VIEW) this.#text(this.#bytes.subarray(start, start + bytes));
    }
  }

  /** Checks that a union's rows have types that it has, and for a dense union also their offsets. */
  union(
    typeIds: readonly number[],
    length: number,
    typesAt: number,
    offsetsAt: number | undefined,
    children: readonly number[],
  ): void {
    for (let i = 0; i < length; i++) {
      const child = typeIds.indexOf(this.#integer(typesAt + i, 1));
      if (child < 0) throw damaged("a row is of a type that its union does not have");
      if (offsetsAt === undefined) continue;
      const offset = this.#integer(offsetsAt + 4 * i, 4);
      if (offset < 0 || offset >= children[child]!) throw damaged("a union leads outside");
    }
  }

  /** Checks that indices point into a dictionary; those of null rows do not matter. */
  indices(
    at: number,
    length: number,
    size: number,
    validityAt: number | undefined,
    values: number,
  ): void {
    for (let i = 0; i < length; i++) {
      const bits = validityAt === undefined ? 255 : this.#bytes[validityAt + (i >> 3)]!;
      if ((bits >> (i & 7) & 1) === 0) continue;
      // Negative numbers become too large this way.
      const index = BigInt.asUintN(8 * size, BigInt(this.#integer(at + i * size, size)));
      if (index >= values) throw damaged("an index leads outside its dictionary");
    }
  }

  #text(bytes: Uint8Array): void {
    try {
      if (!isAscii(bytes)) utf8.decode(bytes);
    } catch {
      throw damaged("a text is not UTF-8");
    }
  }

  #integer(at: number, size: number): number {
    switch (size) {
      case 1:
        return this.#view.getInt8(at);
      case 2:
        return this.#view.getInt16(at, true);
      case 4:
        return this.#view.getInt32(at, true);
      default:
        return Number(this.#view.getBigInt64(at, true));
    }
  }
}

function isAscii(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i]! > 0x7f) return false;
  return true;
}

function ones(byte: number): number {
  const pairs = byte - (byte >> 1 & 0x55);
  const fours = (pairs & 0x33) + (pairs >> 2 & 0x33);
  return (fours + (fours >> 4)) & 0x0f;
}
