/**
 * Counts the nodes and buffers that a column has in a record batch.
 *
 * A chunk index counts them once for a schema, and then looks up the few nodes and buffers that it
 * needs in each chunk. `BatchWalk`, which visits every column of every batch and checks where it lies,
 * gives the same places, also without the batch's data. It was tried in its stead: chunks of 2.7 KB then
 * took 28 % longer to index on Deno and 32 % on Bun, chunks of 0.9 MB 22 % and 24 % longer (the best of
 * 60 runs, three times in turn with `npm run bench:micro`'s cases). So there are two ways.
 *
 * @module
 */
import { T } from "./_arrow_types.ts";
import type { SchemaField } from "./schema_tree.ts";

/** How many nodes and buffers a column has, those of its children included. */
export interface ColumnSlots {
  readonly nodes: number;
  /** `undefined` if the schema does not tell. */
  readonly buffers: number | undefined;
}

const [RUN_END_ENCODED, LIST_VIEW, LARGE_LIST_VIEW] = [22, 25, 26];

/** Buffers of a column itself; every type not listed here has two. */
const BUFFERS: ReadonlyMap<number, number> = new Map([
  [T.NULL, 0],
  [T.BINARY, 3],
  [T.UTF8, 3],
  [T.LARGE_BINARY, 3],
  [T.LARGE_UTF8, 3],
  [T.STRUCT, 1],
  [T.FIXED_LIST, 1],
  [RUN_END_ENCODED, 0],
  [LIST_VIEW, 3],
  [LARGE_LIST_VIEW, 3],
]);

/** Up to metadata version V4 unions have a bitmap. */
const V5 = 4;

/**
 * Counts the nodes and buffers of a column.
 *
 * @param field the column
 * @param version of the metadata, as Arrow numbers it
 */
export function typeSlots(field: SchemaField, version: number): ColumnSlots {
  // The values of a dictionary are in a message of their own.
  if (field.dictionary !== undefined) return { nodes: 1, buffers: 2 };
  let nodes = 1;
  let buffers = ownBuffers(field, version);
  for (const child of field.children) {
    const below = typeSlots(child, version);
    nodes += below.nodes;
    buffers = buffers === undefined || below.buffers === undefined
      ? undefined
      : buffers + below.buffers;
  }
  return { nodes, buffers };
}

function ownBuffers({ type, parameters }: SchemaField, version: number): number | undefined {
  if (type === T.BINARY_VIEW || type === T.UTF8_VIEW) return undefined;
  if (type !== T.UNION) return BUFFERS.get(type) ?? 2;
  return 1 + (parameters[0] === 1 ? 1 : 0) + (version < V5 ? 1 : 0);
}
