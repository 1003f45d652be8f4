/**
 * Rewrites the schema of a chunk of SDK 0.17 to 0.22 with today's names and tags.
 *
 * @module
 */
import type {
  SchemaField,
  SchemaTag,
  SchemaTree,
  TextPlace,
} from "../encoding/arrow/schema_tree.ts";
import { type ColumnName, type Names, todaysComponent } from "../encoding/names/names.ts";
import type { Recast } from "../encoding/names/recasts.ts";

/** What chunks of an entity have named so far. */
export interface Entity {
  /** The archetypes of the entity. */
  readonly archetypes: readonly string[];
}

/** A schema in today's form, and what it says of the chunk. */
export interface RewrittenSchema {
  readonly schema: Pick<SchemaTree, "version" | "fields" | "tags">;
  /** Whether it has no timelines. */
  readonly isStatic: boolean;
  /** Components of Rerun that were left without an archetype. */
  readonly untagged: readonly string[];
  /** For each old column, how it is described in today's layout; `undefined` if it stays. */
  readonly recasts: readonly (ColumnRecast | undefined)[];
  /** Whether other chunks of the entity could change its names. */
  readonly asksEntity: boolean;
}

/** A column that is described in another layout. */
export interface ColumnRecast {
  readonly recast: Recast;
  readonly types: readonly SchemaField[];
}

/** What a chunk's schema says, before it is rewritten. */
export interface ChunkTags {
  readonly entityPath: Required<SchemaTag>;
  readonly id: Required<SchemaTag>;
  /** Places of texts that differ in every message: the chunk's id, and a size. */
  readonly open: readonly TextPlace[];
  /** Archetypes that the chunk names. */
  readonly archetypes: readonly string[];
}

/**
 * What the schema of a chunk says.
 *
 * @returns `undefined` if it is not that of a chunk
 */
export function chunkTags(tree: SchemaTree, names: Names): ChunkTags | undefined {
  const named = (name: string) =>
    tree.tags.find((tag): tag is Required<SchemaTag> =>
      tag.key === `rerun.${name}` && tag.place !== undefined
    );
  const [entityPath, id, size] = [named("entity_path"), named("id"), named("heap_size_bytes")];
  if (entityPath === undefined || id === undefined) return undefined;
  const open = size === undefined ? [id.place] : [id.place, size.place];
  const archetypes = tree.fields.filter(isData).map(({ name }) => names.indicated(name))
    .filter((name) => name !== undefined);
  return { entityPath, id, open, archetypes };
}

/**
 * Gives a chunk's schema the tags that Rerun 0.23 writes, which later versions migrate from.
 *
 * @param tree the schema
 * @param chunk what it says
 * @param names of the version it came from
 * @param entity what chunks of the entity have named so far, this one included
 * @param recasts whether columns may be described in another layout
 */
export function rewriteSchema(
  tree: SchemaTree,
  chunk: ChunkTags,
  names: Names,
  entity: Entity,
  recasts: boolean,
): RewrittenSchema {
  const beside = new Set(tree.fields.filter(isData).map(({ name }) => name));
  const untagged: string[] = [];
  let asksEntity = false;
  const recast = new Map<SchemaField, ColumnRecast>();
  const fields = tree.fields.flatMap((field): SchemaField[] => {
    if (kindOf(field) === "control") return [field];
    if (!isData(field)) return [{ ...field, tags: indexTags(field) }];
    const { name } = field;
    const archetype = tagged(field, "archetype_name");
    if (archetype !== undefined || !names.isKnown(name)) {
      return [{
        ...field,
        tags: dataTags(field, archetype, tagged(field, "archetype_field_name")),
      }];
    }
    asksEntity ||= names.find(name, chunk.archetypes, [], beside) === undefined;
    const found = names.find(name, chunk.archetypes, entity.archetypes, beside);
    const columns = found?.recast && recasts ? found.recast.types(field, found.field) : undefined;
    if (found?.recast && columns) {
      const types = columns.map(({ component, field: part, type }) => {
        const today = { ...found, component };
        const tags = dataTags(field, found.archetype, part ?? found.field, today);
        return { ...type, name: component, tags };
      });
      recast.set(field, { recast: found.recast, types });
      return types;
    }
    const today = found?.recast ? undefined : found;
    if (today === undefined) untagged.push(name);
    return [{ ...field, tags: dataTags(field, today?.archetype, today?.field, today) }];
  });
  // A name that is likely for this chunk alone may change when another chunk names an archetype.
  asksEntity ||= chunk.archetypes.length === 0;
  const tags = [...tree.tags.filter(({ key }) => key !== "rerun.version"), VERSION];
  return {
    schema: { version: tree.version, fields, tags },
    isStatic: !fields.some((field) => kindOf(field) === "index"),
    untagged,
    recasts: recast.size === 0 ? [] : tree.fields.map((field) => recast.get(field)),
    asksEntity,
  };
}

/** Version of the form, not of a program. */
const VERSION: SchemaTag = { key: "rerun.version", value: "1" };

function indexTags({ name, tags }: SchemaField): SchemaTag[] {
  return [
    { key: "rerun.kind", value: "index" },
    { key: "rerun.index_name", value: name },
    ...others(tags, "kind", "index_name").map((tag) =>
      tag.key === "rerun.is_sorted" && tag.value === "" ? { key: tag.key, value: "true" } : tag
    ),
  ];
}

function dataTags(
  { name, tags }: SchemaField,
  archetype: string | undefined,
  field: string | undefined,
  today?: ColumnName,
): SchemaTag[] {
  const component = today?.component ?? todaysComponent(name);
  return [
    ...(archetype === undefined ? [] : [{ key: "rerun.archetype", value: archetype }]),
    ...(field === undefined ? [] : [{ key: "rerun.archetype_field", value: field }]),
    { key: "rerun.component", value: component },
    ...others(tags, "archetype_name", "archetype_field_name", "component"),
  ];
}

function others(tags: readonly SchemaTag[], ...names: readonly string[]): SchemaTag[] {
  return tags.filter(({ key }) => !names.some((name) => key === `rerun.${name}`));
}

function tagged({ tags }: SchemaField, name: string): string | undefined {
  return tags.find(({ key }) => key === `rerun.${name}`)?.value;
}

function kindOf(field: SchemaField): string {
  const kind = tagged(field, "kind") ?? "data";
  return kind === "time" ? "index" : kind;
}

function isData(field: SchemaField): boolean {
  return kindOf(field) === "data";
}
