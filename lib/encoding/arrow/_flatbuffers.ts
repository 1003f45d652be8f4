/**
 * Reads FlatBuffers tables, every offset checked: https://flatbuffers.dev/internals/.
 *
 * Offsets may point anywhere, also many of them to one place, so that a few hundred bytes can unfold
 * to billions of tables: what one buffer may unfold to is limited too.
 *
 * @module
 */
import { InvalidMessage } from "../../base/errors.ts";
import { Interned, MAX_INTERNED_BYTES } from "../interned.ts";

/** How many tables one buffer may have; Arrow writes about five for each column. */
const MAX_TABLES = 65_536;
/** Text of one buffer in bytes. */
const MAX_TEXT_BYTES = 1 << 20;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * How a byte was read: as structure, or only as text. A byte that was read as both counts as
 * structure.
 */
export const STRUCTURE = 1;
export const TEXT = 2;

/** One FlatBuffers buffer, and what may still be read from it. */
class Source {
  readonly view: DataView;
  tablesLeft = MAX_TABLES;
  #textLeft = MAX_TEXT_BYTES;

  /** @param reads is told how each byte is read */
  constructor(readonly bytes: Uint8Array, readonly reads: Uint8Array | undefined) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Gives `at` if `size` bytes are there, without noting them as read. */
  inside(at: number, size: number): number {
    if (at < 0 || size < 0 || at + size > this.bytes.length) {
      throw damaged("an offset leads outside");
    }
    return at;
  }

  /** Gives `at` if `size` bytes are there, and notes them as structure. */
  check(at: number, size: number): number {
    this.inside(at, size);
    this.reads?.fill(STRUCTURE, at, at + size);
    return at;
  }

  /** Counts text that is read, or would be. */
  text(length: number): void {
    this.#textLeft -= length;
    if (this.#textLeft < 0) throw damaged(`more than ${MAX_TEXT_BYTES} bytes of text`);
  }

  u16(at: number): number {
    return this.view.getUint16(this.check(at, 2), true);
  }

  u32(at: number): number {
    return this.view.getUint32(this.check(at, 4), true);
  }
}

function damaged(what: string, options?: ErrorOptions): InvalidMessage {
  return new InvalidMessage(`Damaged Arrow metadata: ${what}`, options);
}

/** A text, and where its bytes are in the buffer. */
export interface FlatText {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** A table; its fields are numbered from 0 in the order of the schema. */
export class FlatTable {
  readonly #source: Source;
  readonly #at: number;
  readonly #vtable: number;
  readonly #vtableBytes: number;

  private constructor(source: Source, at: number) {
    if (--source.tablesLeft < 0) throw damaged(`more than ${MAX_TABLES} tables`);
    const vtable = at - source.view.getInt32(source.check(at, 4), true);
    const vtableBytes = source.u16(vtable);
    if (vtableBytes < 4) throw damaged("a vtable is too short");
    source.inside(vtable, vtableBytes);
    this.#source = source;
    this.#at = at;
    this.#vtable = vtable;
    this.#vtableBytes = vtableBytes;
  }

  /**
   * The table a buffer begins with.
   *
   * @param bytes the buffer
   * @param reads as long as it, is told how each byte is read: {@linkcode STRUCTURE},
   * {@linkcode TEXT} where it is only checked as text, or neither
   * @throws {InvalidMessage} if the buffer is damaged, as everything here does
   */
  static root(bytes: Uint8Array, reads?: Uint8Array): FlatTable {
    const source = new Source(bytes, reads);
    return new FlatTable(source, source.u32(0));
  }

  /** Where the field's value is; `undefined` if the field is absent. */
  #field(field: number, size: number): number | undefined {
    const slot = 4 + 2 * field;
    if (slot + 2 > this.#vtableBytes) return undefined;
    const offset = this.#source.u16(this.#vtable + slot);
    return offset === 0 ? undefined : this.#source.check(this.#at + offset, size);
  }

  /** Where the target of a field is. */
  #target(field: number): number | undefined {
    const at = this.#field(field, 4);
    return at === undefined ? undefined : at + this.#source.u32(at);
  }

  /** The elements of a vector field: where the first is, and how many. */
  #vector(field: number, elementBytes: number): { first: number; length: number } {
    const at = this.#target(field);
    if (at === undefined) return { first: 0, length: 0 };
    const length = this.#source.u32(at);
    return { first: this.#source.check(at + 4, length * elementBytes), length };
  }

  bool(field: number): boolean {
    return this.u8(field) !== 0;
  }

  u8(field: number): number {
    const at = this.#field(field, 1);
    return at === undefined ? 0 : this.#source.bytes[at]!;
  }

  i16(field: number, absent = 0): number {
    const at = this.#field(field, 2);
    return at === undefined ? absent : this.#source.view.getInt16(at, true);
  }

  i32(field: number, absent = 0): number {
    const at = this.#field(field, 4);
    return at === undefined ? absent : this.#source.view.getInt32(at, true);
  }

  /** A 64-bit length or offset. */
  length(field: number): number {
    const at = this.#field(field, 8);
    return at === undefined ? 0 : lengthAt(this.#source.view, at);
  }

  string(field: number): string | undefined {
    const at = this.#target(field);
    if (at === undefined) return undefined;
    const source = this.#source;
    const length = source.u32(at);
    source.check(at + 4, length);
    source.text(length);
    return decode(source.bytes, at + 4, at + 4 + length);
  }

  /**
   * A text and its place; its bytes are noted as {@linkcode TEXT}, since nothing here depends on
   * them.
   */
  textAt(field: number): FlatText | undefined {
    const at = this.#target(field);
    if (at === undefined) return undefined;
    const { bytes, reads } = this.#source;
    const length = this.#source.u32(at);
    const start = this.#source.inside(at + 4, length);
    const end = start + length;
    this.#source.text(length);
    if (reads !== undefined) { for (let i = start; i < end; i++) reads[i] ||= TEXT; }
    return { text: decode(bytes, start, end), start, end };
  }

  /** Checks that a text is whole UTF-8, and tells whether there is one; faster than `string`. */
  checkString(field: number): boolean {
    const at = this.#target(field);
    if (at === undefined) return false;
    const { bytes, reads } = this.#source;
    const length = this.#source.u32(at);
    const start = this.#source.inside(at + 4, length);
    this.#source.text(length);
    for (let i = start; i < start + length; i++) {
      if (reads !== undefined) reads[i] ||= TEXT;
      if (bytes[i]! < 0x80) continue;
      // It counts it, too.
      this.#source.text(-length);
      return this.string(field) !== undefined;
    }
    return true;
  }

  table(field: number): FlatTable | undefined {
    const at = this.#target(field);
    return at === undefined ? undefined : new FlatTable(this.#source, at);
  }

  tables(field: number): FlatTable[] {
    const { first, length } = this.#vector(field, 4);
    if (length > this.#source.tablesLeft) throw damaged(`more than ${MAX_TABLES} tables`);
    const tables: FlatTable[] = [];
    for (let at = first; at < first + 4 * length; at += 4) {
      tables.push(new FlatTable(this.#source, at + this.#source.u32(at)));
    }
    return tables;
  }

  /** A vector of 32-bit numbers. */
  numbers(field: number): number[] {
    const { first, length } = this.#vector(field, 4);
    if (length > MAX_TABLES) throw damaged(`more than ${MAX_TABLES} numbers`);
    return Array.from({ length }, (_, i) => this.#source.view.getInt32(first + 4 * i, true));
  }

  /** A vector of 64-bit lengths or offsets. */
  lengths(field: number): number[] {
    const { first, length } = this.#vector(field, 8);
    if (length > MAX_TABLES) throw damaged(`more than ${MAX_TABLES} lengths`);
    return Array.from({ length }, (_, i) => lengthAt(this.#source.view, first + 8 * i));
  }

  /** A vector of structs of two 64-bit lengths or offsets each. */
  pairs(field: number): FlatPairs {
    const { first, length } = this.#vector(field, 16);
    return new FlatPairs(this.#source.view, first, length);
  }
}

/** A vector of structs of two 64-bit lengths or offsets each, read on demand. */
export class FlatPairs {
  readonly #view: DataView;
  readonly #first: number;

  constructor(view: DataView, first: number, readonly length: number) {
    this.#view = view;
    this.#first = first;
  }

  at(index: number): [number, number] {
    if (index >= this.length) throw damaged("a column has no buffer");
    const at = this.#first + 16 * index;
    return [lengthAt(this.#view, at), lengthAt(this.#view, at + 8)];
  }
}

/** Names of fields and keys of metadata, which come again with each schema. */
const NAMES = new Interned();

function decode(bytes: Uint8Array, start: number, end: number): string {
  const ascii = end - start > MAX_INTERNED_BYTES ? undefined : NAMES.ascii(bytes, start, end);
  if (ascii !== undefined) return ascii;
  try {
    return utf8.decode(bytes.subarray(start, end));
  } catch (cause) {
    throw damaged("a text is not UTF-8", { cause });
  }
}

function lengthAt(view: DataView, at: number): number {
  const length = view.getUint32(at, true) + view.getInt32(at + 4, true) * 2 ** 32;
  if (length < 0 || !Number.isSafeInteger(length)) throw damaged("a length is out of range");
  return length;
}
