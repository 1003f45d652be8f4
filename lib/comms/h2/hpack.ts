/**
 * HPACK (RFC 7541): decodes all of it; encodes without a dynamic table and without Huffman codes.
 *
 * @module
 */
import { HpackError } from "./_hpack_error.ts";
import { DynamicTable, fieldBytes, STATIC_TABLE } from "./_hpack_table.ts";
import { decodeHuffman } from "./_huffman.ts";
import type { Field } from "./types.ts";

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
        if (isBegun || size > TABLE_BYTES) throw new HpackError(`a table of ${size} bytes`);
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
    if (field === undefined) throw new HpackError(`no entry ${index}`);
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
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return isHuffman ? decodeHuffman(bytes) : latin1(bytes);
  }
}

const NOTHING: Uint8Array = new Uint8Array(0);

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

// ------------------------------------------------------------------------------------- encoding

/** The first index of each name in the static table, and of each whole field. */
const INDEXES: ReadonlyMap<string, number> = new Map(
  STATIC_TABLE.flatMap(([name, value], i): [string, number][] => {
    const whole: [string, number] = [`${name}=${value}`, i + 1];
    const isFirst = STATIC_TABLE.findIndex((entry) => entry[0] === name) === i;
    return [
      ...(value === "" ? [] : [whole]),
      ...(isFirst ? [[name, i + 1] as [string, number]] : []),
    ];
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
  const out: number[] = isFirst ? [NO_TABLE] : [];
  for (const [name, value] of fields) {
    const whole = INDEXES.get(`${name}=${value}`);
    if (whole !== undefined) {
      writeInt(out, whole, 7, 0x80);
      continue;
    }
    const index = INDEXES.get(name) ?? 0;
    writeInt(out, index, 4, 0);
    if (index === 0) writeString(out, name);
    writeString(out, value);
  }
  return Uint8Array.from(out);
}

function writeInt(out: number[], value: number, prefix: number, flags: number): void {
  const mask = (1 << prefix) - 1;
  if (value < mask) {
    out.push(flags | value);
    return;
  }
  out.push(flags | mask);
  let rest = value - mask;
  for (; rest > 127; rest >>>= 7) out.push(rest & 127 | 128);
  out.push(rest);
}

function writeString(out: number[], text: string): void {
  const bytes = new TextEncoder().encode(text);
  writeInt(out, bytes.length, 7, 0);
  for (const byte of bytes) out.push(byte);
}
