/**
 * Schemas that came before, and what was made of each.
 *
 * In every message of an SDK the schema is another: it holds the chunk's id and, up to SDK 0.22, a
 * size. These texts are left open. Where the entity's path stands in schemas of that length is known,
 * so that a message is looked up by it and compared once, word by word. Memory is bounded, so all that
 * peers can do to it is to make it useless.
 *
 * @module
 */
import { BytePattern } from "../byte_pattern.ts";
import { WordPattern } from "../word_pattern.ts";
import { TEXT } from "./_flatbuffers.ts";
import { findMetadata, type MetadataPlace } from "./_ipc_message.ts";
import type { SchemaTree, TextPlace } from "./schema_tree.ts";

/** Longer metadata comes with more data, and is read each time. */
const MAX_BYTES = 8 * 1024;
/** Data up to this length is copied in one piece with its schema, which is faster than a view of that. */
const MAX_WHOLE_BYTES = 4 * 1024;
/** An SDK alternates between a few kinds of chunks. */
const MAX_ENDS = 4;
/** Before the metadata of the first message. */
const MAX_PREFIX_BYTES = 8;
/** Metadata of all schemas together, in bytes; what is kept of each is a few times as long. */
const MAX_ALL_BYTES = 1024 * 1024;
/** Places of paths in metadata of one length. */
const MAX_OF_LENGTH = 8;
/** Schemas of one length whose keys are alike. */
const MAX_OF_KEY = 16;

/** Schemas of one length that have their key at the same place. */
interface Shape<T> {
  readonly length: number;
  /** Where the text is by which they are told apart. */
  readonly key: TextPlace;
  readonly known: Map<number, Known<T>[]>;
}

/** What was made of a schema. */
interface Known<T> {
  readonly shape: Shape<T>;
  /** What the texts of those are alike by that are looked through. */
  readonly name: number;
  readonly owner: unknown;
  /** Wants what nobody reads to be the same, too, as it mostly is: that is compared faster. */
  readonly exact: WordPattern;
  readonly pattern: BytePattern;
  readonly value: T;
}

/** How a schema is told apart from others. */
export interface SchemaKey {
  /** The text that most of its like differ in: the entity's path. */
  readonly key: TextPlace;
  /** Texts that may differ. */
  readonly open: readonly TextPlace[];
  /** Whose it is: equal bytes of others are not it. */
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
  /** In the order in which they were added. */
  readonly #all = new Set<Known<T>>();
  #allBytes = 0;
  /** What is looked up, where its words lie as numbers do. */
  readonly #words = new Int32Array((MAX_PREFIX_BYTES + MAX_BYTES) / 4);
  readonly #view = new DataView(this.#words.buffer);
  readonly #bytes = new Uint8Array(this.#words.buffer);
  /** Whether that is all of the data. */
  #isWhole = false;
  /** Ends of it, whichever message is there. */
  #ends: Uint8Array[] = [];

  /** What was made of a schema that differs from this one at most in its open texts. */
  find({ ipc, place: { start, end } }: SchemaBytes, owner: unknown): T | undefined {
    this.#isWhole = false;
    const shapes = this.#shapes.get(end - start);
    if (shapes === undefined) return undefined;
    const bytes = this.#bytes;
    this.#isWhole = ipc.length <= MAX_WHOLE_BYTES;
    // As `subarray` gives it, which takes half as long again on V8.
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
   * What stands behind the schema, of the data that was looked up last: little data was copied with its
   * schema, and a view of that copy is there already, which takes as long to make as to copy it.
   *
   * @param schema that was looked up
   * @returns what is good until the next look-up
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
   * Keeps what was made of a schema, in place of what was made of its like before.
   *
   * @param schema where it stands
   * @param tree what was read of it
   * @param reads what each byte of it was read as
   * @param by how it is told apart
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
    // UTF-8 stays UTF-8 if ASCII takes the place of ASCII.
    const openByte = (at: number) => reads[at] === TEXT && bytes[at]! < 0x80 ? 0x80 : 0xff;
    const shape = this.#shapes.get(length)
      ?.find((each) => each.key.start === key.start && each.key.end === key.end) ??
      { length, key, known: new Map() };
    // What nobody reads says nothing.
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
    // Where the last of a shape was dropped, that was dropped too.
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
  // Numbers of up to 30 bits are looked up without an object for each.
  return hash & 0x3fffffff;
}
