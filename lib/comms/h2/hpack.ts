/**
 * HPACK (RFC 7541): decodes all of it; encodes without a dynamic table and without Huffman codes.
 *
 * @module
 */
import { HpackError } from "./_hpack_error.ts";
import { latin1 } from "./_latin1.ts";
import { DynamicTable, fieldBytes, STATIC_TABLE } from "./_hpack_table.ts";
import { decodeHuffman } from "./_huffman.ts";
import type { Field } from "./types.ts";
import { plural } from "../../base/plural.ts";

export { HpackError } from "./_hpack_error.ts";

/** Size of the dynamic table that a peer may use unless settings say otherwise, in bytes. */
const TABLE_BYTES = 4096;

/** No index, size or length in a block of ours needs more than so many bits behind its prefix. */
const MAX_SHIFT = 21;

// ------------------------------------------------------------------------------------- decoding

/**
 * Decodes the header blocks of a connection, in the order in which they come; each byte of a string
 * gives one character of U+0000 to U+00FF.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { encodeFields, HpackDecoder } from "./hpack.ts";
 *
 * const block = encodeFields([[":status", "200"], ["grpc-status", "0"]]);
 * const decoder = new HpackDecoder();
 * assertEquals(decoder.decode(block, 1024), [[":status", "200"], ["grpc-status", "0"]]);
 * ```
 */
export class HpackDecoder {
  readonly #table = new DynamicTable(TABLE_BYTES);
  #bytes: Uint8Array = NOTHING;
  #at = 0;

  /**
   * Decodes a header block.
   *
   * @param block whole
   * @param maxListBytes limit of its fields, each counted with 32 bytes more
   * @returns the fields; `undefined` if they are over the limit: they are decoded nevertheless, so that
   * the table stays right, but not kept
   * @throws {HpackError} if the block is malformed; then no later block can be decoded either
   */
  decode(block: Uint8Array, maxListBytes: number): Field[] | undefined {
    this.#bytes = block;
    this.#at = 0;
    const fields: Field[] = [];
    let listBytes = 0;
    let isBegun = false;
    while (this.#at < block.length) {
      const first = block[this.#at]!;
      if ((first & 0xe0) === 0x20) {
        const size = this.#int(5);
        if (isBegun || size > TABLE_BYTES) {
          throw new HpackError(
            isBegun
              ? "the size of the table changes behind the first field"
              : `a table of ${plural(size, "byte")}, over the limit of ${TABLE_BYTES}`,
          );
        }
        this.#table.resize(size);
        continue;
      }
      isBegun = true;
      const field = this.#field(first);
      listBytes += fieldBytes(field);
      if (listBytes <= maxListBytes) fields.push(field);
    }
    this.#bytes = NOTHING;
    return listBytes <= maxListBytes ? fields : undefined;
  }

  #field(first: number): Field {
    if (first & 0x80) return this.#entry(this.#int(7));
    const isAdded = (first & 0x40) !== 0;
    const index = this.#int(isAdded ? 6 : 4);
    const name = index === 0 ? this.#string() : this.#entry(index)[0];
    const field: Field = [name, this.#string()];
    if (isAdded) this.#table.add(field);
    return field;
  }

  #entry(index: number): Field {
    const inTable = index - 1 - STATIC_TABLE.length;
    const field = inTable < 0 ? STATIC_TABLE[index - 1] : this.#table.at(inTable);
    if (field === undefined) throw new HpackError(`the table has no entry ${index}`);
    return field;
  }

  #int(prefix: number): number {
    const mask = (1 << prefix) - 1;
    let value = this.#byte() & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= MAX_SHIFT; shift += 7) {
      const byte = this.#byte();
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
    throw new HpackError("an integer is too long");
  }

  #byte(): number {
    if (this.#at >= this.#bytes.length) throw new HpackError("the header block is cut off");
    return this.#bytes[this.#at++]!;
  }

  #string(): string {
    const isHuffman = this.#at < this.#bytes.length && this.#bytes[this.#at]! >= 0x80;
    const length = this.#int(7);
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new HpackError("the header block is cut off");
    const from = this.#at;
    this.#at = end;
    return isHuffman ? decodeHuffman(this.#bytes, from, end) : latin1(this.#bytes, from, end);
  }
}

const NOTHING: Uint8Array = new Uint8Array(0);

// ------------------------------------------------------------------------------------- encoding

/** What the static table has of a name. */
interface Known {
  /** The first index. */
  readonly first: number;
  /** The index of each whole field. */
  readonly values: ReadonlyMap<string, number>;
}

/** Asked for name and value one after the other: putting them together would make a string each time. */
const INDEXES: ReadonlyMap<string, Known> = new Map(
  STATIC_TABLE.map(([name]): [string, Known] => {
    const entries = STATIC_TABLE.map(([other, value], i) => [other, value, i + 1] as const)
      .filter(([other]) => other === name);
    const values = entries.filter(([, value]) => value !== "")
      .map(([, value, index]): [string, number] => [value, index]);
    return [name, { first: entries[0]![2], values: new Map(values) }];
  }),
);

/**
 * Declares a table of size 0, which must come before the first field if the peer allows no table.
 */
const NO_TABLE = 0x20;

/**
 * Encodes fields as literals that are not indexed, so that each block stands for itself.
 *
 * @param fields text that is not ASCII goes out as UTF-8
 * @param isFirst whether it is the connection's first block
 */
export function encodeFields(fields: readonly Field[], isFirst = false): Uint8Array {
  const out = new BlockWriter(fields);
  if (isFirst) out.int(0, 5, NO_TABLE);
  for (const [name, value] of fields) {
    const known = INDEXES.get(name);
    const whole = known?.values.get(value);
    if (whole !== undefined) {
      out.int(whole, 7, 0x80);
      continue;
    }
    const index = known?.first ?? 0;
    out.int(index, 4, 0);
    if (index === 0) out.string(name);
    out.string(value);
  }
  return out.written;
}

/** Room for the integers of a field. */
const INTS_BYTES = 16;
/** UTF-8 has at most so many bytes for a unit of UTF-16. */
const UTF8_BYTES = 3;
const UTF8 = new TextEncoder();

/** Writes a block into memory that is sure to be enough: growing would leave garbage behind. */
class BlockWriter {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(fields: readonly Field[]) {
    let most = 1;
    for (const [name, value] of fields) {
      most += INTS_BYTES + UTF8_BYTES * (name.length + value.length);
    }
    this.#bytes = new Uint8Array(most);
  }

  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  int(value: number, prefix: number, flags: number): void {
    const mask = (1 << prefix) - 1;
    if (value < mask) {
      this.#bytes[this.#at++] = flags | value;
      return;
    }
    this.#bytes[this.#at++] = flags | mask;
    let rest = value - mask;
    for (; rest > 127; rest >>>= 7) this.#bytes[this.#at++] = rest & 127 | 128;
    this.#bytes[this.#at++] = rest;
  }

  string(text: string): void {
    if (isAscii(text)) {
      this.int(text.length, 7, 0);
      for (let i = 0; i < text.length; i++) this.#bytes[this.#at++] = text.charCodeAt(i);
      return;
    }
    const bytes = UTF8.encode(text);
    this.int(bytes.length, 7, 0);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
}
