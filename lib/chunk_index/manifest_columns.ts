/**
 * The columns of an index's table, which has one row for each chunk.
 *
 * @module
 */
import { compareUtf8 } from "../encoding/arrow/write_stream.ts";
import type { SchemaField, SchemaTag } from "../encoding/arrow/schema_tree.ts";
import type { ChunkSchema } from "./chunk_schema.ts";
import {
  columnName,
  compareDescriptors,
  type Descriptor,
  descriptorKey,
  descriptorTags,
  shortNames,
} from "./descriptor.ts";
import type { Manifest } from "./manifest.ts";
import { NotIndexable } from "./not_indexable.ts";

/** A column; its values are asked for when it is written. */
export interface ManifestColumn {
  readonly field: SchemaField;
  readonly values:
    | { readonly kind: "text"; readonly at: (chunk: number) => string }
    | { readonly kind: "bytes"; readonly at: (chunk: number) => Uint8Array }
    | { readonly kind: "truth"; readonly at: (chunk: number) => boolean }
    | { readonly kind: "number"; readonly at: (chunk: number) => number }
    | { readonly kind: "time"; readonly at: (chunk: number) => bigint | undefined };
}

const bare = (type: number, ...parameters: SchemaField["parameters"]) => ({
  ...{ type, parameters, dictionary: undefined, children: [], tags: [] },
});

/** The type of ids and hashes: 16 bytes. */
export const FIXED_BINARY_16: Omit<SchemaField, "name" | "nullable"> = bare(15, 16);
const UTF8 = bare(5);
const BOOL = bare(6);
const UINT64 = bare(2, 64, false);

/** The timelines of a store in the order of the table, with the names of their columns. */
function timelinesOf(manifest: Manifest): readonly (readonly [string, SchemaField])[] {
  const timelines = [...manifest.timelines].sort(([a], [b]) => compareUtf8(a, b));
  const byName = new Map<string, string>();
  for (const [name] of timelines) {
    const column = columnName(name);
    const other = byName.get(column);
    // Rerun's own encoder fails if two names are equal, and its readers mix the two up.
    if (other !== undefined) {
      throw new NotIndexable(
        `its timelines ${JSON.stringify(other)} and ${
          JSON.stringify(name)
        } would have the same name in the index`,
      );
    }
    byName.set(column, name);
  }
  return timelines;
}

/**
 * The columns in Rerun's order.
 *
 * @throws {NotIndexable} if two timelines would have one name
 */
export function manifestColumns(manifest: Manifest): ManifestColumn[] {
  const { schemas } = manifest;
  const schemaOf = (chunk: number) => schemas[manifest.schemaOf(chunk)]!;
  const columns: ManifestColumn[] = [];
  const add = (
    parts: readonly string[],
    field: Omit<SchemaField, "name" | "nullable">,
    values: ManifestColumn["values"],
    nullable = false,
    tags: readonly SchemaTag[] = [],
  ) =>
    void columns.push({ field: { ...field, name: columnName(...parts), nullable, tags }, values });
  const number = (at: (chunk: number) => number) => ({ kind: "number", at } as const);
  const truth = (at: (chunk: number) => boolean) => ({ kind: "truth", at } as const);
  const isStatic = schemas.map(({ indexes }) => indexes.length === 0);
  add(["chunk_entity_path"], UTF8, { kind: "text", at: (chunk) => schemaOf(chunk).entityPath });
  add(["chunk_id"], FIXED_BINARY_16, { kind: "bytes", at: (chunk) => manifest.idOf(chunk) });
  add(["chunk_is_static"], BOOL, truth((chunk) => isStatic[manifest.schemaOf(chunk)]!));
  add(["chunk_num_rows"], UINT64, number((chunk) => manifest.rowsOf(chunk)));
  add(["chunk_byte_offset"], UINT64, number((chunk) => manifest.offsetOf(chunk)));
  add(["chunk_byte_size"], UINT64, number((chunk) => manifest.sizeOf(chunk)));
  const uncompressed = number((chunk) => manifest.uncompressedSizeOf(chunk));
  add(["chunk_byte_size_uncompressed"], UINT64, uncompressed);

  const components = [...manifest.components.values()].sort(compareDescriptors);
  for (const descriptor of components) {
    const places = placesOf(schemas, descriptor);
    const isIn = places.map((place, schema) => place >= 0 && isStatic[schema]!);
    const tags = [...descriptorTags(descriptor), { key: "rerun:index", value: "rerun:static" }];
    const values = truth((chunk) => isIn[manifest.schemaOf(chunk)]!);
    add([...shortNames(descriptor), "has_static_data"], BOOL, values, false, tags);
  }

  const timelines = timelinesOf(manifest);
  for (const [name, field] of timelines) {
    const places = schemas.map(({ indexes }) => indexes.findIndex((index) => index.name === name));
    const tags = [{ key: "rerun:index", value: name }];
    BOUNDS.forEach((marker, bound) =>
      add(
        [name, marker],
        field,
        {
          kind: "time",
          at: (chunk) => {
            const place = places[manifest.schemaOf(chunk)]!;
            if (place < 0 || manifest.rowsOf(chunk) === 0) return undefined;
            return manifest.timeOf(chunk, place, bound);
          },
        },
        true,
        tags,
      )
    );
  }

  for (const [name, field] of timelines) {
    const times = schemas.map(({ indexes }) => indexes.findIndex((index) => index.name === name));
    for (const descriptor of components) {
      const key = JSON.stringify([name, descriptorKey(descriptor)]);
      if (!manifest.pairs.has(key)) continue;
      const places = placesOf(schemas, descriptor);
      const tags = [...descriptorTags(descriptor), { key: "rerun:index", value: name }];
      const parts = [name, ...shortNames(descriptor)];
      const isIn = (schema: number) => times[schema]! >= 0 && places[schema]! >= 0;
      BOUNDS.forEach((marker, bound) =>
        add(
          [...parts, marker],
          field,
          {
            kind: "time",
            at: (chunk) => {
              const schema = manifest.schemaOf(chunk);
              if (!isIn(schema) || manifest.rowsOf(chunk) === 0) return undefined;
              const sparse = manifest.sparseOf(chunk, places[schema]!);
              return sparse === undefined
                ? manifest.timeOf(chunk, times[schema]!, bound)
                : sparse.ranges[2 * times[schema]! + bound];
            },
          },
          true,
          tags,
        )
      );
      const rows = number((chunk) => {
        const schema = manifest.schemaOf(chunk);
        if (!isIn(schema)) return 0;
        return manifest.sparseOf(chunk, places[schema]!)?.rows ?? manifest.rowsOf(chunk);
      });
      add([...parts, "num_rows"], UINT64, rows, true, tags);
    }
  }
  return columns;
}

const BOUNDS = ["start", "end"] as const;

/** The index of a component in each schema; −1 if a schema does not have it. */
function placesOf(schemas: readonly ChunkSchema[], descriptor: Descriptor): number[] {
  const wanted = descriptorKey(descriptor);
  return schemas.map(({ components }) => components.findIndex(({ key }) => key === wanted));
}
