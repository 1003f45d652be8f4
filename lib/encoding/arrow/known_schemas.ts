/**
 * Remembers schemas that came before, with what was made of each.
 *
 * The schema differs in every message of an SDK, since it has the chunk's id and, up to SDK 0.22, a
 * size. These texts are left open. A schema is looked up by its length and by its entity's path,
 * whose place in schemas of that length is known, and then compared once, word by word. Memory is
 * bounded: peers can fill it with useless schemas, and do no other harm.
 *
 * @module
 */
import { BytePattern } from "../byte_pattern.ts";
import { WordPattern } from "../word_pattern.ts";
import { TEXT } from "./_flatbuffers.ts";
import { findMetadata, type MetadataPlace } from "./_ipc_message.ts";
import type { SchemaTree, TextPlace } from "./schema_tree.ts";

/** Longer metadata, in bytes, usually comes with more data, and is read each time. */
const MAX_BYTES = 8 * 1024;
/**
 * Data up to this length, in bytes, is copied together with its schema, which is faster than making
 * a view of the schema.
 */
const MAX_WHOLE_BYTES = 4 * 1024;
/** How many views behind the schema are kept: an SDK alternates between a few kinds of chunks. */
const MAX_ENDS = 4;
/** Bytes before the metadata of the first message, at most. */
const MAX_PREFIX_BYTES = 8;
/** Bytes of metadata of all schemas together; what is kept of each is a few times as long. */
const MAX_ALL_BYTES = 1024 * 1024;
/** How many places of paths are known for metadata of one length. */
const MAX_OF_LENGTH = 8;
/** How many schemas of one length may have keys with the same hash. */
const MAX_OF_KEY = 16;

/** Schemas of one length that have their key at the same place. */
interface Shape<T> {
  readonly length: number;
  /** Where the key is, the text that tells them apart. */
  readonly key: TextPlace;
  readonly known: Map<number, Known<T>[]>;
}

/** What was made of a schema. */
interface Known<T> {
  readonly shape: Shape<T>;
  /** Hash of the key. */
  readonly name: number;
  readonly owner: unknown;
  /**
   * Also compares bytes that nobody reads: mostly these are equal, and this comparison is faster.
   */
  readonly exact: WordPattern;
  readonly pattern: BytePattern;
  readonly value: T;
}

/** How a schema is recognised. */
export interface SchemaKey {
  /** The text in which similar schemas mostly differ: the entity's path. */
  readonly key: TextPlace;
  /** Texts that may differ. */
  readonly open: readonly TextPlace[];
  /** The owner: schemas of others do not match even if their bytes are equal. */
  readonly owner: unknown;
}

/** A schema message to look up or to add. */
export interface SchemaBytes {
  /** An Arrow IPC stream. */
  readonly ipc: Uint8Array;
  /** Where the metadata of its first message is. */
  readonly place: MetadataPlace;
}

/**
 * Finds the schema message at the beginning of an Arrow IPC stream.
 *
 * @throws {InvalidMessage} if it is not all there
 */
export function schemaBytes(ipc: Uint8Array): SchemaBytes {
  return { ipc, place: findMetadata(ipc, 0) };
}

/** The schemas that were added last. */
export class KnownSchemas<T> {
  readonly #shapes = new Map<number, Shape<T>[]>();
  /** All schemas in the order in which they were added. */
  readonly #all = new Set<Known<T>>();
  #allBytes = 0;
  /** A copy of the schema that is looked up, aligned to words. */
  readonly #words = new Int32Array((MAX_PREFIX_BYTES + MAX_BYTES) / 4);
  readonly #view = new DataView(this.#words.buffer);
  readonly #bytes = new Uint8Array(this.#words.buffer);
  /** Whether the copy has all of the data. */
  #isWhole = false;
  /** Views of that copy behind the schema, by length. */
  #ends: Uint8Array[] = [];

  /** Gives what was made of a schema that equals this one, except for its open texts. */
  find({ ipc, place: { start, end } }: SchemaBytes, owner: unknown): T | undefined {
    this.#isWhole = false;
    const shapes = this.#shapes.get(end - start);
    if (shapes === undefined) return undefined;
    const bytes = this.#bytes;
    this.#isWhole = ipc.length <= MAX_WHOLE_BYTES;
    // Faster than `subarray` on V8: a million views of one byte take some 70 ms this way on Deno,
    // and 80 to 170 ms by `bytes.subarray(i, i + 1)`.
    bytes.set(this.#isWhole ? ipc : new Uint8Array(ipc.buffer, ipc.byteOffset, end));
    for (const { key, known } of shapes) {
      const alike = known.get(hash(bytes, start + key.start, start + key.end));
      if (alike === undefined) continue;
      for (const each of alike) {
        if (each.owner !== owner) continue;
        if (each.exact.matches(this.#words, start / 4) || each.pattern.matches(this.#view, start)) {
          return each.value;
        }
      }
    }
    return undefined;
  }

  /**
   * The bytes behind the schema that was looked up last. Little data was copied with its schema,
   * and a view of that copy may be there already: making one takes as long as copying.
   *
   * @param schema that was looked up
   * @returns bytes that are valid until the next look-up
   */
  restOf({ ipc, place: { end } }: SchemaBytes): Uint8Array {
    const length = ipc.length - end;
    if (!this.#isWhole) return new Uint8Array(ipc.buffer, ipc.byteOffset + end, length);
    for (const rest of this.#ends) {
      if (rest.byteOffset === end && rest.length === length) return rest;
    }
    const rest = this.#bytes.subarray(end, end + length);
    this.#ends = [rest, ...this.#ends.slice(0, MAX_ENDS - 1)];
    return rest;
  }

  /**
   * Keeps what was made of a schema, in place of what was made of a matching one before.
   *
   * @param schema where it is
   * @param tree what was read of it
   * @param reads how each byte of it was read
   * @param by how it is recognised
   * @param value what was made of it
   * @returns whether it is kept: not if it is long, or an open text is part of another
   */
  add(
    { ipc, place: { start, end } }: SchemaBytes,
    { texts }: SchemaTree,
    reads: Uint8Array,
    by: SchemaKey,
    value: T,
  ): boolean {
    const { key, open, owner } = by;
    const bytes = ipc.subarray(start, end);
    const { length } = bytes;
    if (length > MAX_BYTES || length % 4 !== 0) return false;
    if (open.some((one) => texts.filter((text) => overlap(one, text)).length !== 1)) return false;
    // Text stays valid UTF-8 if ASCII is replaced by ASCII.
    const openByte = (at: number) => reads[at] === TEXT && bytes[at]! < 0x80 ? 0x80 : 0xff;
    const shape = this.#shapes.get(length)
      ?.find((each) => each.key.start === key.start && each.key.end === key.end) ??
      { length, key, known: new Map() };
    // Bytes that were not read may have any value.
    const masks = reads.map((read) => read === 0 ? 0 : 0xff);
    const exactMasks = new Uint8Array(length).fill(0xff);
    for (const { start, end } of open) {
      for (let at = start; at < end; at++) exactMasks[at] = masks[at] = openByte(at);
    }
    const name = hash(bytes, key.start, key.end);
    const alike = shape.known.get(name) ?? [];
    const view = new DataView(bytes.buffer, bytes.byteOffset, length);
    for (const each of [...alike]) {
      if (each.owner === owner && each.pattern.matches(view, 0)) this.#drop(each);
    }
    if (alike.length === MAX_OF_KEY) this.#drop(alike[0]!);
    const exact = new WordPattern(bytes, exactMasks);
    const one = { shape, name, owner, exact, pattern: new BytePattern(bytes, masks), value };
    alike.push(one);
    shape.known.set(name, alike);
    this.#all.add(one);
    this.#allBytes += length;
    // The shape may have been dropped together with its last schema.
    if (!this.#shapes.get(length)?.includes(shape)) this.#addShape(shape);
    for (const oldest of this.#all) {
      if (this.#allBytes <= MAX_ALL_BYTES) break;
      this.#drop(oldest);
    }
    return true;
  }

  #addShape(shape: Shape<T>): void {
    const shapes = this.#shapes.get(shape.length) ?? [];
    this.#shapes.set(shape.length, [...shapes, shape]);
    if (shapes.length < MAX_OF_LENGTH) return;
    for (const alike of [...shapes[0]!.known.values()]) {
      for (const each of [...alike]) this.#drop(each);
    }
  }

  #drop(known: Known<T>): void {
    if (!this.#all.delete(known)) return;
    const { shape, name } = known;
    this.#allBytes -= shape.length;
    const alike = shape.known.get(name)!;
    alike.splice(alike.indexOf(known), 1);
    if (alike.length > 0) return;
    shape.known.delete(name);
    if (shape.known.size > 0) return;
    const shapes = this.#shapes.get(shape.length)!.filter((each) => each !== shape);
    if (shapes.length > 0) this.#shapes.set(shape.length, shapes);
    else this.#shapes.delete(shape.length);
  }
}

function overlap(a: TextPlace, b: TextPlace): boolean {
  return a.start < b.end && b.start < a.end;
}

function hash(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + bytes[at]!) | 0;
  // V8 needs no heap object for numbers of up to 30 bits.
  return hash & 0x3fffffff;
}
