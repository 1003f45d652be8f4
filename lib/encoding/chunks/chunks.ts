/**
 * Messages → chunks, which mean the same for SDKs of all versions.
 *
 * @module
 */
import { InvalidMessage } from "../../base/errors.ts";
import type { ArrowMsg } from "../arrow_msg.ts";
import { checkArrowMsg } from "../check_arrow_msg.ts";
import type { Batch } from "../arrow/first_batch.ts";
import { BatchChunk, type Chunk, rowIdReader } from "./chunk.ts";
import { type ChunkSchema, ChunkSchemas } from "./chunk_schema.ts";
import type { Tuid } from "../tuid.ts";
import { TREES } from "./chunk_trees.ts";
import { plural } from "../../base/plural.ts";

/** How many entities a table may have. */
const MAX_ENTITIES = 65_536;

/** Reads chunks; remembers schemas in bounded memory. */
class ChunkReader {
  readonly #schemas = new ChunkSchemas(TREES);

  /** As {@linkcode chunks}. */
  chunks(msg: ArrowMsg): Chunk[] {
    const { schema, batch } = this.#read(msg, "chunks");
    const { entityPath } = schema;
    return entityPath === undefined
      ? tableChunks(schema, batch)
      : [whole(entityPath, schema, batch)];
  }

  /** As {@linkcode chunk}. */
  chunk(msg: ArrowMsg): Chunk {
    const { schema, batch } = this.#read(msg, "chunk");
    const { entityPath } = schema;
    if (entityPath !== undefined) return whole(entityPath, schema, batch);
    const all = tableChunks(schema, batch);
    if (all.length !== 1) {
      throw new TypeError(
        `This message is a table of ${
          plural(all.length, "chunk")
        }, as SDK 0.16 and before send it: use chunks(msg)`,
      );
    }
    return all[0]!;
  }

  #read(msg: ArrowMsg, taker: string): { readonly schema: ChunkSchema; readonly batch: Batch } {
    checkArrowMsg(taker, msg);
    const ipc = msg.ipc();
    const { schema, end } = this.#schemas.of(ipc, msg.encoded.header.version);
    return { schema, batch: schema.finder.find(ipc, end) };
  }
}

function whole(path: string, schema: ChunkSchema, batch: Batch): Chunk {
  const { timelines } = schema;
  return new BatchChunk(path, batch, schema, { timelines, components: schema.components() });
}

/** Rows of one entity that are all static, or all have times. */
interface RowSet {
  readonly path: string;
  readonly rows: number[];
  /** Splats: rows whose value counts for each instance of another row, by that other row. */
  readonly splats: Map<number, number>;
}

/** The column and the value that mark a row as a splat in SDK 0.9 to 0.15. */
const [INSTANCE_KEY, SPLAT] = ["rerun.components.InstanceKey", 2n ** 64n - 1n] as const;

/**
 * Finds the splats of SDK 0.9 to 0.15. What was logged once for all instances, such as one radius
 * for many points, came in a row of its own right before the row of the instances; today it is in
 * that row.
 */
class Splats {
  readonly column: number;
  readonly #batch: Batch;
  readonly #idOf: ((row: number) => Tuid) | undefined;

  constructor(schema: ChunkSchema, batch: Batch) {
    this.#batch = batch;
    this.column = schema.finder.columns.findIndex(({ field }) => field.name === INSTANCE_KEY);
    const ids = batch.places[schema.rowIds];
    if (this.column >= 0 && ids !== undefined) this.#idOf = rowIdReader(batch, ids);
  }

  /** Whether the first row is a splat for the instances of the second. */
  isOf(row: number | undefined, instances: number): boolean {
    if (this.#idOf === undefined || row === undefined) return false;
    if (!this.#isSplat(row) || this.#isSplat(instances)) return false;
    return this.#idOf(row).inc + 1n === this.#idOf(instances).inc;
  }

  #isSplat(row: number): boolean {
    const keys = this.#batch.values.row(this.#batch.places[this.column]!, row);
    return keys instanceof BigUint64Array && keys.length === 1 && keys[0] === SPLAT;
  }
}

function tableChunks(schema: ChunkSchema, batch: Batch): Chunk[] {
  const { rows: rowCount, places, values } = batch;
  const paths = places[schema.paths];
  if (paths === undefined) throw new InvalidMessage("A chunk does not say which entity it is of");
  const times = schema.timelines.map((plan) => ({ plan, place: places[plan.column]! }));
  const sets = new Map<string, RowSet>();
  const splats = new Splats(schema, batch);
  for (let row = 0; row < rowCount; row++) {
    const path = values.row(paths, row);
    if (typeof path !== "string") {
      throw new InvalidMessage("A row of a table does not say which entity it is of");
    }
    const isStatic = !times.some(({ place }) => values.isValid(place, row));
    const key = isStatic ? `static ${path}` : path;
    const set: RowSet = sets.get(key) ?? { path, rows: [], splats: new Map() };
    const before = set.rows.at(-1);
    if (splats.isOf(before, row)) {
      set.rows[set.rows.length - 1] = row;
      set.splats.set(row, before!);
    } else set.rows.push(row);
    sets.set(key, set);
    if (sets.size > MAX_ENTITIES) {
      throw new InvalidMessage(`A table has rows of more than ${MAX_ENTITIES} entities`);
    }
  }
  return [...sets.values()].map(({ path, rows, splats: splatted }) => {
    const isIn = (column: number) => (row: number) => values.isValid(places[column]!, row);
    const has = (column: number) =>
      rows.some(isIn(column)) ||
      column !== splats.column && [...splatted.values()].some(isIn(column));
    const timelines = schema.timelines.filter(({ column }) => has(column));
    return new BatchChunk(path.startsWith("/") ? path : `/${path}`, batch, schema, {
      timelines,
      components: schema.components(has),
      rows,
      splats: splatted,
      has,
    });
  });
}

const READER = new ChunkReader();

/**
 * The chunks of a message. A message of SDK 0.17 and later is one chunk; a table of SDK 0.9 to 0.16
 * gives one for each entity, and another for its static rows.
 *
 * Nothing is decoded before it is asked for. Values may be views on the message's own bytes: with
 * `reuseBuffers`, copy what you keep.
 *
 * @param msg any chunk or table
 * @throws {TypeError} if it is not a chunk or table, such as a `SetStoreInfo`
 * @throws {InvalidMessage} if its data is damaged, or of a type that is not known
 *
 * @example
 * ```ts
 * import { ArrowMsg, chunks, decodeRrdHeader } from "@rerelay/server/encoding";
 * import { assertEquals } from "@std/assert";
 * import * as arrow from "apache-arrow";
 *
 * // A server or a file gives such messages; this one is made by hand.
 * const list = new arrow.List(new arrow.Field("item", new arrow.Float64(), true));
 * const table = new arrow.Table({ "Scalars:scalars": arrow.vectorFromArray([[0.5]], list) });
 * table.schema.metadata.set("rerun:entity_path", "/robot/speed");
 * const bytes = arrow.tableToIPC(table, "stream");
 * const head = Uint8Array.of(0x52, 0x52, 0x46, 0x32, 0, 41, 0, 0, 0, 2, 0, 0);
 * const encoded = { header: decodeRrdHeader(head), bytes };
 * const data = { bytes, compression: "off", uncompressedSize: bytes.length } as const;
 * const storeId = { kind: "Recording", id: "by hand" } as const;
 * const msg = new ArrowMsg(storeId, undefined, [], true, data, encoded);
 *
 * for (const { entityPath, rowCount, components } of chunks(msg)) {
 *   assertEquals([entityPath, rowCount], ["/robot/speed", 1]);
 *   assertEquals(components[0]?.at(0), Float64Array.of(0.5));
 * }
 * ```
 */
export function chunks(msg: ArrowMsg): Chunk[] {
  return READER.chunks(msg);
}

/**
 * The one chunk of a message, as SDK 0.17 and later send it; see {@linkcode chunks}.
 *
 * @param msg a chunk
 * @throws {TypeError} if it is not a chunk, or a table with several, as SDK 0.9 to 0.16 send them
 * @throws {InvalidMessage} if its data is damaged, or of a type that is not known
 *
 * @example
 * ```ts
 * import { chunk, RrdDecoder } from "@rerelay/server/encoding";
 * import { assertEquals } from "@std/assert";
 *
 * const speeds: number[] = [];
 * const file = Uint8Array.of(0x52, 0x52, 0x46, 0x32, 0, 22, 1, 0, 0, 1, 0, 0); // yours has messages
 * for (const msg of new RrdDecoder().push(file).items) {
 *   if (msg.kind !== "ArrowMsg") continue;
 *   const one = chunk(msg);
 *   const scalars = one.component("Scalars:scalars");
 *   for (let row = 0; row < one.rowCount; row++) speeds.push(...scalars?.at(row) ?? []);
 * }
 * assertEquals(speeds, []);
 * ```
 */
export function chunk(msg: ArrowMsg): Chunk {
  return READER.chunk(msg);
}
