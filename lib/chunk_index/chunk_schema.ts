/**
 * Reads from the schema of a chunk what an index needs.
 *
 * @module
 */
import { InvalidMessage, shown } from "../base/errors.ts";
import { typeSlots } from "../encoding/arrow/column_slots.ts";
import type { SchemaField, SchemaTree, TextPlace } from "../encoding/arrow/schema_tree.ts";
import { type Descriptor, descriptorKey } from "./descriptor.ts";
import { migratedSchema } from "./migrated_schema.ts";

/** The place of a column in a record batch. */
export interface ColumnSlot {
  /** The index of its own field node. */
  readonly node: number;
  /** The index of its first buffer; `undefined` if only the data tells it. */
  readonly buffer: number | undefined;
}

/** A timeline's column. */
export interface IndexField extends ColumnSlot {
  readonly name: string;
  /** Its type, without tags. */
  readonly field: SchemaField;
}

/** A component's column. */
export interface ComponentField extends ColumnSlot {
  readonly descriptor: Descriptor;
  /** The key of its descriptor. */
  readonly key: string;
  readonly field: SchemaField;
}

/** The parts of a chunk's schema that an index needs. */
export interface ChunkSchema {
  /** Equal for schemas that are the same to an index. */
  readonly key: string;
  readonly entityPath: string;
  /** Where the id of the chunk is in the metadata. */
  readonly idPlace: TextPlace | undefined;
  readonly indexes: readonly IndexField[];
  readonly components: readonly ComponentField[];
}

const LIST = 12;
const [INT, TIMESTAMP, DURATION] = [2, 10, 18];

/**
 * Reads the schema of a chunk.
 *
 * @param tree the schema message
 * @throws {InvalidMessage} if it is not that of a chunk of SDK 0.23 or later, or of one that was bridged
 */
export function readChunkSchema(tree: SchemaTree): ChunkSchema {
  const { columns, entityPath, id } = migratedSchema(tree);
  if (entityPath === undefined) {
    throw new InvalidMessage("A chunk does not say which entity it is of");
  }
  const indexes: IndexField[] = [];
  const components: ComponentField[] = [];
  let node = 0;
  let buffer: number | undefined = 0;
  for (const { field, tags } of columns) {
    const slot = { node, buffer };
    if (tags !== undefined) {
      const kind = tags.get("rerun:kind") ?? "data";
      if (kind === "index" || kind === "time") indexes.push(indexField(field, tags, slot));
      else if (kind === "data" || kind === "component") {
        components.push(componentField(field, tags, slot));
      } else if (kind !== "control" && kind !== "row_id") {
        throw new InvalidMessage(`A column of the unknown kind ${shown(kind)}`);
      }
    }
    const { nodes, buffers } = typeSlots(field, tree.version);
    node += nodes;
    buffer = buffer === undefined || buffers === undefined ? undefined : buffer + buffers;
  }
  if (new Set(indexes.map(({ name }) => name)).size < indexes.length) {
    throw new InvalidMessage("A chunk has two columns of one timeline");
  }
  if (new Set(components.map(({ descriptor }) => descriptor.component)).size < components.length) {
    throw new InvalidMessage("A chunk has two columns of one component");
  }
  const key = JSON.stringify([
    entityPath.value,
    indexes.map(({ name }) => name),
    components.map(({ key }) => key),
  ]);
  return { key, entityPath: entityPath.value, idPlace: id?.place, indexes, components };
}

type Tags = ReadonlyMap<string, string>;

function indexField(field: SchemaField, tags: Tags, slot: ColumnSlot): IndexField {
  const { type, parameters } = field;
  const isTime = type === TIMESTAMP || type === DURATION;
  if (!isTime && !(type === INT && parameters[0] === 64 && parameters[1] === true)) {
    throw new InvalidMessage(
      `A timeline of Arrow type ${type}, where Rerun has 64-bit integers or times`,
    );
  }
  const name = tags.get("rerun:index_name") ?? field.name;
  return { ...slot, name, field: { ...field, tags: [] } };
}

function componentField(field: SchemaField, tags: Tags, slot: ColumnSlot): ComponentField {
  // Rerun's readers turn columns of other types into lists, so the index would state a wrong type.
  if (field.type !== LIST || field.dictionary !== undefined) {
    throw new InvalidMessage(`A component of Arrow type ${field.type}, where Rerun has lists`);
  }
  const descriptor = {
    archetype: tags.get("rerun:archetype") ?? "",
    component: tags.get("rerun:component") ?? field.name,
    componentType: tags.get("rerun:component_type") ?? "",
  };
  const key = descriptorKey(descriptor);
  return { ...slot, descriptor, key, field: { ...field, tags: [] } };
}
