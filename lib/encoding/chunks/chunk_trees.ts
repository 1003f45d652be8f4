/**
 * Schema messages of chunks, each read once for all messages that repeat it, except for an id, a
 * size or a time of sending.
 *
 * @module
 */
import { KnownSchemas, type SchemaBytes, schemaBytes } from "../arrow/known_schemas.ts";
import { parseSchema, type SchemaTree, type TextPlace } from "../arrow/schema_tree.ts";
import type { RrdVersion } from "../rrd_header.ts";

/**
 * Minor versions between which archetypes have to be looked up: before the first they are the same,
 * and from the last on chunks name them.
 */
const [FIRST_MINOR, TODAY] = [17, 23];
/** The key of a schema that names no entity. */
const NOWHERE: TextPlace = { start: 0, end: 0 };

/** The schema of a chunk. */
export interface ChunkTree extends SchemaTree {
  /** Absent for the tables of SDK 0.16 and before. */
  readonly entityPath: string | undefined;
  /** The SDK's minor version; 17 also for older ones, 23 also for newer ones. */
  readonly minor: number;
}

/** Remembers schemas that came before, in bounded memory. */
export class ChunkTrees {
  readonly #known = new KnownSchemas<ChunkTree>();

  /**
   * The schema of a chunk.
   *
   * @param ipc an Arrow IPC stream, not compressed, or as much of it as the schema takes
   * @param version of the SDK
   * @returns with it, where the schema ends
   * @throws {InvalidMessage} if it is damaged
   */
  of(
    ipc: Uint8Array,
    { major, minor }: RrdVersion,
  ): { readonly tree: ChunkTree; readonly end: number } {
    const version = major > 0 ? TODAY : Math.min(Math.max(minor, FIRST_MINOR), TODAY);
    const bytes = schemaBytes(ipc);
    const tree = this.#known.find(bytes, version) ?? this.#read(bytes, version);
    return { tree, end: bytes.place.end };
  }

  #read(bytes: SchemaBytes, minor: number): ChunkTree {
    const { start, end } = bytes.place;
    const reads = new Uint8Array(end - start);
    const { tree } = parseSchema(bytes.ipc, reads);
    const path = tree.tags.find(({ key }) => /^rerun[.:]entity_path$/.test(key));
    const chunk = { ...tree, entityPath: path?.value, minor };
    const open = tree.tags.map(({ place }) => place).filter((place) => place !== undefined)
      .filter((place) => place !== path?.place && place.end > place.start);
    const key = path?.place ?? NOWHERE;
    this.#known.add(bytes, tree, reads, { key, open, owner: minor }, chunk);
    return chunk;
  }
}

/**
 * The schemas of this process. Peers can fill this table with useless entries, and do no other
 * harm.
 */
export const TREES: ChunkTrees = new ChunkTrees();
