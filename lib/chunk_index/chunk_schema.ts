/**
 * What the schema of a chunk says for an index.
 *
 * @module
 */
import { InvalidMessage } from "../base/errors.ts";
import { typeSlots } from "../encoding/arrow/column_slots.ts";
import type { SchemaField, SchemaTree, TextPlace } from "../encoding/arrow/schema_tree.ts";
import { type Descriptor, descriptorKey } from "./descriptor.ts";

/** Where a column is in a record batch. */
export interface ColumnSlot {
  /** Index of its own node. */
  readonly node: number;
  /** Index of its first buffer; `undefined` where only the data tells it. */
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
  /** Of the descriptor. */
  readonly key: string;
  readonly field: SchemaField;
  readonly isList: boolean;
}

/** See the module. */
export interface ChunkSchema {
  /** Equal for all that an index takes alike. */
  readonly key: string;
  readonly entityPath: string;
  /** Where the chunk's id stands in the metadata. */
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
 * @throws {InvalidMessage} if it is not that of a chunk of SDK 0.24 or later
 */
export function readChunkSchema(tree: SchemaTree): ChunkSchema {
  const tag = (name: string) => tree.tags.find(({ key }) => key === `rerun:${name}`);
  const version = tree.tags.find(({ key }) => key === "sorbet:version")?.value;
  // Readers rename the columns of what is older.
  if (version === undefined) throw new InvalidMessage("A chunk of Rerun 0.23 or older");
  if (!version.startsWith("0.1.")) {
    throw new InvalidMessage(`A chunk in a form that is not known: ${version}`);
  }
  const entityPath = tag("entity_path")?.value;
  if (entityPath === undefined) throw new InvalidMessage("A chunk without an entity path");
  const indexes: IndexField[] = [];
  const components: ComponentField[] = [];
  let node = 0;
  let buffer: number | undefined = 0;
  for (const field of tree.fields) {
    const slot = { node, buffer };
    const kind = tagOf(field, "kind") ?? "data";
    if (kind === "index" || kind === "time") indexes.push(indexField(field, slot));
    else if (kind === "data" || kind === "component") components.push(componentField(field, slot));
    else if (kind !== "control" && kind !== "row_id") {
      throw new InvalidMessage("A column of a kind that is not known");
    }
    const { nodes, buffers } = typeSlots(field, tree.version);
    node += nodes;
    buffer = buffer === undefined || buffers === undefined ? undefined : buffer + buffers;
  }
  if (new Set(indexes.map(({ name }) => name)).size < indexes.length) {
    throw new InvalidMessage("A chunk that has a timeline twice");
  }
  if (new Set(components.map(({ descriptor }) => descriptor.component)).size < components.length) {
    throw new InvalidMessage("A chunk that has a component twice");
  }
  const key = JSON.stringify([
    entityPath,
    indexes.map(({ name }) => name),
    components.map(({ key }) => key),
  ]);
  return { key, entityPath, idPlace: tag("id")?.place, indexes, components };
}

function indexField(field: SchemaField, slot: ColumnSlot): IndexField {
  const { type, parameters } = field;
  const isTime = type === TIMESTAMP || type === DURATION;
  if (!isTime && !(type === INT && parameters[0] === 64 && parameters[1] === true)) {
    throw new InvalidMessage(`A timeline of type ${type}`);
  }
  const name = tagOf(field, "index_name") ?? field.name;
  return { ...slot, name, field: { ...field, tags: [] } };
}

function componentField(field: SchemaField, slot: ColumnSlot): ComponentField {
  const descriptor = {
    archetype: tagOf(field, "archetype") ?? "",
    component: tagOf(field, "component") ?? field.name,
    componentType: tagOf(field, "component_type") ?? "",
  };
  const isList = field.type === LIST && field.dictionary === undefined;
  return {
    ...slot,
    ...{ descriptor, key: descriptorKey(descriptor), isList },
    field: { ...field, tags: [] },
  };
}

function tagOf({ tags }: SchemaField, name: string): string | undefined {
  return tags.find(({ key }) => key === `rerun:${name}`)?.value;
}
