/**
 * Schemas of chunks, each read once for all messages that repeat it but for an id, a size, a time of
 * sending.
 *
 * @module
 */
import { KnownSchemas, type SchemaBytes, schemaBytes } from "../arrow/known_schemas.ts";
import { parseSchema, type SchemaTree, type TextPlace } from "../arrow/schema_tree.ts";
import type { RrdVersion } from "../rrd_header.ts";

/** Archetypes were the same before, and from 0.23 on chunks name them. */
const [FIRST_MINOR, TODAY] = [17, 23];
/** The text a schema is looked up by where it names no entity. */
const NOWHERE: TextPlace = { start: 0, end: 0 };

/** The schema of a chunk. */
export interface ChunkTree extends SchemaTree {
  /** Absent for the tables of SDK 0.16 and before. */
  readonly entityPath: string | undefined;
  /** Of the SDK's version: 17 for those before, 23 for those after. */
  readonly minor: number;
}

/** Schemas that came before; their memory is bounded. */
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

/** Those of this process; all that peers can do to them is to make them useless. */
export const TREES: ChunkTrees = new ChunkTrees();
