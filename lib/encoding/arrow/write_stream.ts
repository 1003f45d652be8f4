/**
 * Writes the parts of an Arrow IPC stream as Rerun does: the schema message of the same fields has
 * the same bytes.
 *
 * @module
 */
import { T } from "./_arrow_types.ts";
import { type BuiltSlot, FlatBuilder } from "./_flat_builder.ts";
import { RECORD_BATCH, SCHEMA } from "./_ipc_message.ts";
import { encodeSchema } from "./encode_schema.ts";
import type { SchemaField, SchemaTag } from "./schema_tree.ts";

/** Metadata version V5, in Arrow's numbers. */
const VERSION = 4;
/** The mark before a message, and its length. */
const PREFIX_BYTES = 8;

/** Ends a stream. */
export const END_OF_STREAM: Uint8Array = Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0);

/**
 * A schema message.
 *
 * @param fields the columns; the schema has no tags of its own
 */
export function schemaMessage(fields: readonly SchemaField[]): Uint8Array {
  // How Rerun writes rare types is not known, so these are written in another layout that means the
  // same.
  if (!fields.every(isPlain)) return encodeSchema({ version: VERSION, fields, tags: [] }).bytes;
  const builder = new FlatBuilder();
  const columns = builder.vector(fields.map((field) => buildField(builder, field)));
  const schema = builder.table([[1, "ref", columns]]);
  const root = builder.table([[0, 2, VERSION], [1, 1, SCHEMA], [2, "ref", schema]]);
  return withPrefix(builder.finish(root), 64);
}

/**
 * The message that precedes the data of a record batch.
 *
 * @param rows how many
 * @param nodes length and number of nulls of each column
 * @param buffers where each buffer is in the data, and how long
 * @param bodyBytes of the data, a multiple of 8
 */
export function recordBatchMessage(
  rows: number,
  nodes: readonly (readonly [number, number])[],
  buffers: readonly (readonly [number, number])[],
  bodyBytes: number,
): Uint8Array {
  const builder = new FlatBuilder();
  const [buffersAt, nodesAt] = [builder.pairs(buffers), builder.pairs(nodes)];
  const batch = builder.table([[0, 8, rows], [1, "ref", nodesAt], [2, "ref", buffersAt]]);
  const root = builder.table([
    [3, 8, bodyBytes],
    [0, 2, VERSION],
    [1, 1, RECORD_BATCH],
    [2, "ref", batch],
  ]);
  return withPrefix(builder.finish(root), 8);
}

function withPrefix(metadata: Uint8Array, align: number): Uint8Array {
  const length = Math.ceil((PREFIX_BYTES + metadata.length) / align) * align;
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0xffffffff, true);
  view.setUint32(4, length - PREFIX_BYTES, true);
  bytes.set(metadata, PREFIX_BYTES);
  return bytes;
}

/** Types without parameters. */
const BARE: readonly number[] = [
  ...[T.NULL, T.BINARY, T.UTF8, T.BOOL, T.LARGE_BINARY, T.LARGE_UTF8],
  ...[T.BINARY_VIEW, T.UTF8_VIEW],
];
const DESCRIBED: readonly number[] = [
  ...[T.INT, T.FLOAT, T.DECIMAL, T.DATE, T.TIME, T.TIMESTAMP, T.DURATION, T.FIXED_BINARY],
  ...[T.LIST, T.LARGE_LIST, T.FIXED_LIST, T.STRUCT, T.UNION],
];

function isPlain({ type, dictionary, children }: SchemaField): boolean {
  const isKnown = BARE.includes(type) || DESCRIBED.includes(type);
  return isKnown && dictionary === undefined && children.every(isPlain);
}

/** Writes a field, its parts in the order of Rerun's library. */
function buildField(builder: FlatBuilder, field: SchemaField): number {
  const tags = field.tags.length === 0 ? undefined : buildTags(builder, field.tags);
  const name = builder.text(field.name);
  const { type, children } = buildType(builder, field);
  return builder.table([
    [0, "ref", name],
    [2, 1, field.type],
    ...(field.nullable ? [[1, 1, 1]] as const : []),
    [5, "ref", children],
    [3, "ref", type],
    ...(tags === undefined ? [] : [[6, "ref", tags]] as const),
  ]);
}

function buildTags(builder: FlatBuilder, tags: readonly SchemaTag[]): number {
  const sorted = tags.toSorted((a, b) => compareUtf8(a.key, b.key));
  return builder.vector(sorted.map(({ key, value }) => {
    const [keyAt, valueAt] = [builder.text(key), builder.text(value)];
    return builder.table([[0, "ref", keyAt], [1, "ref", valueAt]]);
  }));
}

interface BuiltType {
  readonly type: number;
  readonly children: number;
}

function buildType(builder: FlatBuilder, { type, parameters, children }: SchemaField): BuiltType {
  const [first, second, third] = parameters.map((value) =>
    typeof value === "number" ? value : Number(value === true)
  ) as [number, number, number];
  const unless = (absent: number, slot: BuiltSlot): BuiltSlot[] => slot[2] === absent ? [] : [slot];
  switch (type) {
    case T.INT:
      return childrenFirst(builder, [...unless(0, [1, 1, second]), [0, 4, first]]);
    case T.FLOAT:
      return childrenFirst(builder, unless(0, [0, 2, first]));
    case T.LIST:
    case T.LARGE_LIST:
    case T.FIXED_LIST:
    case T.STRUCT: {
      const built = children.map((child) => buildField(builder, child));
      const table = builder.table(type === T.FIXED_LIST ? [[0, 4, first]] : []);
      return { type: table, children: builder.vector(built) };
    }
    case T.UNION: {
      const built = children.map((child) => buildField(builder, child));
      const ids = parameters[1] as readonly number[] | undefined ?? children.map((_, i) => i);
      const idsAt = builder.numbers(ids);
      const table = builder.table([...unless(0, [0, 2, first]), [1, "ref", idsAt]]);
      return { type: table, children: builder.vector(built) };
    }
    case T.FIXED_BINARY:
      return typeFirst(builder, [[0, 4, first]]);
    case T.DECIMAL:
      return typeFirst(builder, [
        [0, 4, first],
        ...unless(0, [1, 4, second]),
        ...unless(128, [2, 4, third]),
      ]);
    case T.TIMESTAMP: {
      const zone = parameters[1] as string | undefined ?? "";
      const zoneAt = builder.text(zone);
      const slots = unless(0, [0, 2, first]);
      return typeFirst(builder, zone === "" ? slots : [...slots, [1, "ref", zoneAt]]);
    }
    case T.DURATION:
      return typeFirst(builder, unless(1, [0, 2, first]));
    case T.TIME:
      return typeFirst(builder, [...unless(32, [1, 4, second]), ...unless(1, [0, 2, first])]);
    case T.DATE:
      return typeFirst(builder, unless(1, [0, 2, first]));
    default:
      return typeFirst(builder, []);
  }
}

function childrenFirst(builder: FlatBuilder, slots: readonly BuiltSlot[]): BuiltType {
  const children = builder.vector([]);
  return { type: builder.table(slots), children };
}

function typeFirst(builder: FlatBuilder, slots: readonly BuiltSlot[]): BuiltType {
  const type = builder.table(slots);
  return { type, children: builder.vector([]) };
}

const utf8 = new TextEncoder();

/** Orders texts by their bytes in UTF-8, as Rust does. */
export function compareUtf8(a: string, b: string): number {
  if (a === b) return 0;
  const [left, right] = [utf8.encode(a), utf8.encode(b)];
  const length = Math.min(left.length, right.length);
  for (let i = 0; i < length; i++) {
    if (left[i] !== right[i]) return left[i]! - right[i]!;
  }
  return left.length - right.length;
}
