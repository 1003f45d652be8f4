/**
 * Gives the chunks of one store today's form.
 *
 * @module
 */
import { InvalidMessage } from "../base/errors.ts";
import { encodeSchema } from "../encoding/arrow/encode_schema.ts";
import {
  type KnownSchemas,
  type SchemaBytes,
  schemaBytes,
} from "../encoding/arrow/known_schemas.ts";
import { encodeBatch, type EncodedBatch, readBatch } from "../encoding/arrow/batch_arrays.ts";
import {
  readSchemaTree,
  type SchemaField,
  type SchemaTree,
  type TextPlace,
} from "../encoding/arrow/schema_tree.ts";
import { ArrowMsg } from "../encoding/arrow_msg.ts";
import type { StoreId } from "../encoding/message_parts.ts";
import { ArrowMsgFront, type WriterMemory } from "../encoding/protobuf/arrow_msg_front.ts";
import { encodeStoreId } from "../encoding/protobuf/encode_log_msg.ts";
import type { RrdHeader } from "../encoding/rrd_header.ts";
import { SplitArrow, SplitEncoded } from "../encoding/split_encoded.ts";
import type { ChunkIds } from "./chunk_ids.ts";
import type { Entities, Entity } from "./entities.ts";
import type { VersionNames } from "../encoding/names/version_names.ts";
import { todaysViewPath } from "../encoding/names/view_paths.ts";
import { chunkTags, type ColumnRecast, rewriteSchema } from "./rewrite_schema.ts";

/** A rewritten schema, in which open texts are filled in for each chunk. */
export interface Template {
  /** Envelope and schema. */
  readonly front: ArrowMsgFront;
  /** Where open texts are in the metadata, and where they go in the schema. */
  readonly texts: readonly { readonly from: TextPlace; readonly to: number }[];
  /** Where the chunk's id is in the metadata. */
  readonly id: TextPlace;
  readonly isStatic: boolean;
  readonly untagged: readonly string[];
  /** Set if columns are described in another layout. */
  readonly recast?: {
    /** Columns as they came, and what each becomes. */
    readonly fields: readonly SchemaField[];
    readonly columns: readonly (ColumnRecast | undefined)[];
    /** The template for chunks whose data can't be described so. */
    readonly otherwise: Template;
  };
  /** What it was made from, if that may change. */
  readonly madeBy?: { readonly key: string; readonly entity: Entity };
}

/** What is remembered of a stream. */
export interface StreamMemory {
  readonly schemas: KnownSchemas<Template>;
  readonly entities: Entities;
  readonly ids: ChunkIds;
  /** For the messages themselves. */
  readonly writer: WriterMemory;
  /** Whether large data stays where it is. */
  readonly sharesData: boolean;
}

/** How many bytes more than twice its old length a chunk may take in the new layout. */
const MORE_BYTES = 4096;
/** Data from this length on, in bytes, is not copied if it may be shared. */
const SHARED_BYTES = 32 * 1024;

/** Gives the chunks of one store their form. */
export class StoreBridge {
  readonly #key: string;
  readonly #isBlueprint: boolean;
  readonly #minor: number;
  readonly #names: VersionNames;
  readonly #memory: StreamMemory;
  readonly #storeId: Uint8Array;

  /**
   * @param storeId of the store
   * @param key key of the store
   * @param minor the SDK's, as its header says
   * @param names of all versions
   * @param memory of the stream
   */
  constructor(
    storeId: StoreId,
    key: string,
    minor: number,
    names: VersionNames,
    memory: StreamMemory,
  ) {
    this.#key = key;
    this.#isBlueprint = storeId.kind === "Blueprint";
    this.#minor = minor;
    this.#names = names;
    this.#memory = memory;
    this.#storeId = encodeStoreId(storeId, "v1alpha1");
  }

  /**
   * Gives a chunk today's form.
   *
   * @param msg the chunk
   * @param header the header that it gets
   * @returns the chunk, and which of its components got no archetype
   * @throws {InvalidMessage} if its schema is damaged, or not that of a chunk
   */
  chunk(
    msg: ArrowMsg,
    header: RrdHeader,
  ): { readonly msg: ArrowMsg; readonly untagged: readonly string[] } {
    const ipc = msg.ipc();
    const schema = schemaBytes(ipc);
    const found = this.#memory.schemas.find(schema, this.#key);
    const template = found !== undefined && this.#isValid(found) ? found : this.#make(schema);
    const { recast } = template;
    if (recast === undefined) return this.#written(msg, schema, template, header, undefined);
    const batch = recastBatch(schema, recast);
    const fitting = batch === undefined ? recast.otherwise : template;
    return this.#written(msg, schema, fitting, header, batch);
  }

  #written(
    msg: ArrowMsg,
    schema: SchemaBytes,
    template: Template,
    header: RrdHeader,
    batch: EncodedBatch | undefined,
  ): { readonly msg: ArrowMsg; readonly untagged: readonly string[] } {
    const { ipc, place: { start, end } } = schema;
    const { writer, ids, schemas, sharesData } = this.#memory;
    const { id, isStatic, untagged } = template;
    // The id of the schema, which readers use: SDK 0.17 gave the envelope another one.
    const chunkId = ids.read(ipc, start + id.start, start + id.end, msg.chunkId) ?? msg.chunkId;
    const restBytes = batch?.bytes ?? ipc.length - end;
    const front = template.front.next(chunkId, restBytes);
    for (const { from, to } of template.texts) {
      const target = front.schemaAt + to - from.start;
      for (let at = from.start; at < from.end; at++) front.bytes[target + at] = ipc[start + at]!;
    }
    const { length } = front.bytes;
    const { storeId, timepointMax } = msg;
    if (sharesData && restBytes >= SHARED_BYTES) {
      const { slab, at } = writer.take(length);
      slab.bytes.set(front.bytes, at);
      const own = new Uint8Array(slab.buffer, at, length);
      const rest = batch === undefined ? schemas.restOf(schema) : new Uint8Array(restBytes);
      batch?.write(rest);
      const encoded = new SplitEncoded(header, own, rest);
      const arrow = new SplitArrow(encoded, front.schemaAt);
      return {
        msg: new ArrowMsg(storeId, chunkId, timepointMax, isStatic, arrow, encoded),
        untagged,
      };
    }
    const bytes = length + restBytes;
    const { slab, at } = sharesData && bytes >= SHARED_BYTES
      ? writer.takeOwn(bytes)
      : writer.take(bytes);
    slab.bytes.set(front.bytes, at);
    if (batch !== undefined) {
      batch.write(slab.bytes.subarray(at + length, at + length + restBytes));
    } else {
      slab.bytes.set(schemas.restOf(schema), at + length);
    }
    const arrowBytes = length - front.schemaAt + restBytes;
    const arrow = {
      bytes: new Uint8Array(slab.buffer, at + front.schemaAt, arrowBytes),
      compression: "off" as const,
      uncompressedSize: arrowBytes,
    };
    const encoded = { header, bytes: new Uint8Array(slab.buffer, at, bytes) };
    return {
      msg: new ArrowMsg(storeId, chunkId, timepointMax, isStatic, arrow, encoded),
      untagged,
    };
  }

  #isValid({ madeBy }: Template): boolean {
    return madeBy === undefined || this.#memory.entities.get(madeBy.key) === madeBy.entity;
  }

  #make(schema: SchemaBytes): Template {
    const { ipc, place } = schema;
    const reads = new Uint8Array(place.end - place.start);
    const tree = readSchemaTree(ipc, reads);
    const names = this.#names.of(this.#names.minorOf(this.#minor, tree));
    const chunk = chunkTags(tree, names);
    if (chunk === undefined) throw new InvalidMessage("An Arrow schema is not that of a chunk");
    const { entityPath: { value: path, place: key }, open } = chunk;
    const { schemas, entities } = this.#memory;
    const entityKey = this.#key + path;
    const entity = entities.add(entityKey, chunk.archetypes);
    const written = (recasts: boolean): Template => {
      const rewritten = rewriteSchema(tree, chunk, names, entity, recasts);
      const { schema: today, isStatic, untagged, asksEntity, recasts: columns } = rewritten;
      const { bytes, openAt } = encodeSchema(this.#isBlueprint ? placed(today) : today, open);
      return {
        front: new ArrowMsgFront(this.#storeId, isStatic, bytes),
        texts: open.map((from, i) => ({ from, to: openAt[i]! })),
        id: chunk.id.place,
        isStatic,
        untagged,
        ...(columns.length > 0 &&
          { recast: { fields: tree.fields, columns, otherwise: written(false) } }),
        ...(asksEntity && { madeBy: { key: entityKey, entity } }),
      };
    };
    const template = written(true);
    schemas.add(schema, tree, reads, { key, open, owner: this.#key }, template);
    return template;
  }
}

/** Describes the data of a chunk in the new layout; `undefined` if it can't be. */
function recastBatch(
  { ipc, place: { end } }: SchemaBytes,
  { fields, columns }: NonNullable<Template["recast"]>,
): EncodedBatch | undefined {
  try {
    const batch = readBatch(ipc, end, fields);
    const encoded = encodeBatch({
      length: batch.length,
      columns: batch.columns.flatMap((column, i) => {
        const to = columns[i];
        return to === undefined ? column : to.recast.arrays(column, to.types);
      }),
    });
    // Bounded, since many buffers may be at the same place, and each is written.
    return encoded.bytes <= 2 * ipc.length + MORE_BYTES ? encoded : undefined;
  } catch (error) {
    if (!(error instanceof InvalidMessage)) throw error;
    return undefined;
  }
}

/** Gives the schema of a blueprint's chunk today's path of its entity. */
function placed<T extends Pick<SchemaTree, "tags">>(schema: T): T {
  const tags = schema.tags.map((tag) =>
    tag.key === "rerun.entity_path" ? { key: tag.key, value: todaysViewPath(tag.value) } : tag
  );
  return { ...schema, tags };
}
