/**
 * The growing index of one store: which of its chunks have which components and times.
 *
 * @module
 */
import type { StoreId } from "../encoding/message_parts.ts";
import type { SchemaField } from "../encoding/arrow/schema_tree.ts";
import type { ChunkFacts, Sparse } from "./chunk_reader.ts";
import type { ChunkSchema } from "./chunk_schema.ts";
import { type Descriptor, recordingColumnName } from "./descriptor.ts";
import { GrowingBigInts, GrowingBytes, GrowingNumbers } from "./growing.ts";
import { NotIndexable } from "./not_indexable.ts";

/** The id, place and length of a chunk. */
export interface ChunkPlace {
  /** 16 bytes, big endian. */
  readonly id: Uint8Array;
  /** Where its protobuf message begins in the file, behind the message's own header. */
  readonly offset: number;
  readonly size: number;
  readonly uncompressedSize: number;
}

/** A component of an entity. */
export interface EntityColumn {
  readonly descriptor: Descriptor;
  readonly entityPath: string;
  /** Its field in the first chunk that has it, without tags. */
  readonly field: SchemaField;
  /** Whether any chunk of it is static. */
  isStatic: boolean;
  /** Whether it has a value in any chunk. */
  hasValues: boolean;
}

/** A timeline and a component that are both in a chunk with rows. */
export interface Pair {
  readonly timeline: string;
  readonly component: string;
}

/** How many columns every table has. */
const GLOBAL_COLUMNS = 7;
/** Most text of all different schemas. */
const MAX_TEXT = 32 * 1024 * 1024;

/** Gathers the index of one store, chunk by chunk. */
export class Manifest {
  /** Columns of entities by their names in the schema of the recording. */
  readonly columns = new Map<string, EntityColumn>();
  /** Timelines by name, of the type that the first chunk gives them. */
  readonly timelines = new Map<string, SchemaField>();
  /** Components by key. */
  readonly components = new Map<string, Descriptor>();
  readonly pairs = new Map<string, Pair>();
  /** The different schemas. */
  readonly schemas: ChunkSchema[] = [];
  readonly #schemaNumbers = new Map<string, number>();
  /** Entries by schema object, which saves comparing the last few schemas again. */
  readonly #entries = new Map<ChunkSchema, SchemaEntry>();
  #textLeft = MAX_TEXT;
  readonly #places = new GrowingNumbers();
  readonly #ids = new GrowingBytes();
  readonly #ranges = new GrowingBigInts();
  readonly #sparse = new Map<number, ReadonlyMap<number, Sparse>>();

  constructor(readonly storeId: StoreId) {}

  /** How many chunks it has. */
  get chunks(): number {
    return this.#places.length / FIELDS;
  }

  /** How many columns its table would have by now. */
  get columnCount(): number {
    return GLOBAL_COLUMNS + this.components.size + 2 * this.timelines.size + 3 * this.pairs.size;
  }

  /**
   * Takes a chunk, in the order of the file.
   *
   * @throws {NotIndexable} if it would make the index too large
   */
  add(facts: ChunkFacts, { id, offset, size, uncompressedSize }: ChunkPlace): void {
    const entry = this.#entryOf(facts.schema);
    const { schema, number, columns } = entry;
    const { rows, ranges, sparse, hasValues } = facts;
    if (rows > 0 && !entry.isPaired) this.#pair(entry);
    for (let i = 0; i < columns.length; i++) columns[i]!.hasValues ||= hasValues[i]!;
    if (sparse.size > 0) this.#sparse.set(this.chunks, sparse);
    for (const value of [number, rows, offset, size, uncompressedSize, this.#ranges.length]) {
      this.#places.push(value);
    }
    this.#ids.push(id);
    this.#ranges.push(rows === 0 ? schema.indexes.flatMap(() => [0n, 0n]) : ranges);
  }

  /** The index of a chunk's schema in `schemas`. */
  schemaOf(chunk: number): number {
    return this.#places.at(FIELDS * chunk);
  }

  rowsOf(chunk: number): number {
    return this.#places.at(FIELDS * chunk + 1);
  }

  offsetOf(chunk: number): number {
    return this.#places.at(FIELDS * chunk + 2);
  }

  sizeOf(chunk: number): number {
    return this.#places.at(FIELDS * chunk + 3);
  }

  uncompressedSizeOf(chunk: number): number {
    return this.#places.at(FIELDS * chunk + 4);
  }

  idOf(chunk: number): Uint8Array {
    return this.#ids.subarray(16 * chunk, 16 * chunk + 16);
  }

  /**
   * A time of a chunk that has rows.
   *
   * @param index index of the timeline in the chunk's schema
   * @param bound 0 for the lowest, 1 for the highest
   */
  timeOf(chunk: number, index: number, bound: number): bigint {
    return this.#ranges.at(this.#places.at(FIELDS * chunk + 5) + 2 * index + bound);
  }

  /**
   * The facts about a component that is missing in some rows of a chunk; `undefined` if it is in
   * all.
   */
  sparseOf(chunk: number, component: number): Sparse | undefined {
    return this.#sparse.get(chunk)?.get(component);
  }

  #entryOf(schema: ChunkSchema): SchemaEntry {
    const known = this.#entries.get(schema);
    if (known !== undefined) return known;
    let number = this.#schemaNumbers.get(schema.key);
    if (number === undefined) {
      this.#textLeft -= schema.key.length;
      if (this.#textLeft < 0) throw new NotIndexable("its chunks have too many names", "size");
      number = this.schemas.length;
      this.schemas.push(schema);
      this.#schemaNumbers.set(schema.key, number);
    }
    for (const { name, field } of schema.indexes) {
      if (!this.timelines.has(name)) this.timelines.set(name, field);
    }
    const isStatic = schema.indexes.length === 0;
    const columns = schema.components.map(({ key, descriptor, field }) => {
      this.components.set(key, descriptor);
      const name = recordingColumnName(schema.entityPath, descriptor.component);
      let column = this.columns.get(name);
      if (column === undefined) {
        const { entityPath } = schema;
        column = { descriptor, entityPath, field, isStatic, hasValues: false };
        this.columns.set(name, column);
      }
      column.isStatic ||= isStatic;
      return column;
    });
    const entry = { schema, number, columns, isPaired: false };
    if (this.#entries.size >= MAX_ENTRIES) this.#entries.clear();
    this.#entries.set(schema, entry);
    return entry;
  }

  #pair(entry: SchemaEntry): void {
    entry.isPaired = true;
    for (const { name: timeline } of entry.schema.indexes) {
      for (const { key: component } of entry.schema.components) {
        this.pairs.set(JSON.stringify([timeline, component]), { timeline, component });
      }
    }
  }
}

/** How many numbers are kept of each chunk. */
const FIELDS = 6;
/** Most entries that are remembered by schema object. */
const MAX_ENTRIES = 4096;

interface SchemaEntry {
  readonly schema: ChunkSchema;
  readonly number: number;
  readonly columns: readonly EntityColumn[];
  isPaired: boolean;
}
