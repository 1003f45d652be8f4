/**
 * Turns the schema of a chunk of an earlier version into the one that today's Rerun makes of it
 * when it reads the chunk, since an index must use today's names of columns. The rules are those of
 * Rerun's own `re_sorbet/migrations`.
 *
 * @module
 */
import { InvalidMessage } from "../base/errors.ts";
import type { SchemaField, SchemaTag, SchemaTree } from "../encoding/arrow/schema_tree.ts";
import { RENAMED_IN_23 } from "../encoding/names/today.ts";

type Tags = Map<string, string>;

/** A column with today's tags. */
export interface MigratedColumn {
  readonly field: SchemaField;
  readonly tags: ReadonlyMap<string, string> | undefined;
}

/** A chunk's schema in the form of today's Rerun. */
export interface MigratedSchema {
  /** In the order of the record batch. */
  readonly columns: readonly MigratedColumn[];
  readonly entityPath: SchemaTag | undefined;
  readonly id: SchemaTag | undefined;
}

/**
 * Versions of the schema's form, oldest first: that of 0.23 and of bridged chunks, then those of
 * 0.24 and later.
 */
const VERSIONS = ["0.0.1", "0.0.2", "0.1.0", "0.1.1", "0.1.2", "0.1.3"];

/**
 * Gives a schema the names of today.
 *
 * @param tree the schema message
 * @throws {InvalidMessage} if its form is not known
 */
export function migratedSchema(tree: SchemaTree): MigratedSchema {
  const version = versionOf(tree);
  const isBefore = (target: string) => version < VERSIONS.indexOf(target);
  const tag = (name: string) =>
    tree.tags.find(({ key }) => key === `rerun:${name}` || key === `rerun.${name}`);
  const columns = tree.fields.map((field): MigratedColumn => {
    let tags: Tags | undefined = new Map(field.tags.map(({ key, value }) => [key, value]));
    if (isBefore("0.0.2")) renameArchetype(tags);
    if (isBefore("0.1.0")) {
      if ([...tags.keys()].some((key) => key.startsWith("rerun."))) {
        tags = rewired(field.name, tags);
      }
      for (const [key, value] of tags) {
        tags.set(key, value.replaceAll("RecordingProperties", "RecordingInfo"));
      }
    }
    if (isBefore("0.1.1") && isIndicator(tags)) tags = undefined;
    if (tags !== undefined && isBefore("0.1.2")) renameTransforms(tags);
    if (tags !== undefined && isBefore("0.1.3")) {
      replace(tags, "rerun:component_type", { "rerun.components.SeriesVisible": VISIBLE });
    }
    return { field, tags };
  });
  const entityPath = tag("entity_path");
  const isMoved = isBefore("0.1.0") && entityPath?.value === "/__properties/recording";
  return {
    columns,
    entityPath: isMoved ? { ...entityPath, value: "/__properties" } : entityPath,
    id: tag("id"),
  };
}

const VISIBLE = "rerun.components.Visible";

/** The index of a schema's version; the last one for newer versions. */
function versionOf({ tags }: SchemaTree): number {
  const version = tags.find(({ key }) => key === "sorbet:version")?.value;
  if (version === undefined) {
    const isOld = tags.some(({ key }) => key.startsWith("rerun."));
    return !isOld && tags.some(({ key }) => key === "rerun:version") ? 1 : 0;
  }
  const known = VERSIONS.indexOf(version);
  if (known >= 0) return known;
  const [, patch] = /^0\.1\.(\d+)$/.exec(version) ?? [];
  if (patch === undefined) {
    throw new InvalidMessage(`A chunk in a form that is not known: ${version.slice(0, 40)}`);
  }
  return VERSIONS.length - 1;
}

function renameArchetype(tags: Tags): void {
  const archetype = tags.get("rerun.archetype") ?? "";
  if (!Object.hasOwn(RENAMED_IN_23, archetype)) return;
  const [name, fields] = RENAMED_IN_23[archetype]!;
  tags.set("rerun.archetype", name);
  replace(tags, "rerun.archetype_field", fields);
}

/** Tags in which a colon has replaced the point. */
const RENAMED_KEYS = [
  ...["index_name", "entity_path", "kind", "is_static", "is_indicator", "is_tombstone"],
  ...["is_semantically_empty", "is_sorted"],
];

/** Turns the tags of 0.23 for archetype, field and component into today's. */
function rewired(name: string, old: Tags): Tags {
  const tags = new Map(old);
  for (const key of RENAMED_KEYS) {
    const value = tags.get(`rerun.${key}`);
    if (value === undefined) continue;
    tags.delete(`rerun.${key}`);
    tags.set(`rerun:${key}`, value);
  }
  const archetype = tags.get("rerun.archetype");
  const field = tags.get("rerun.archetype_field");
  const component = tags.get("rerun.component");
  if (!name.endsWith("Indicator") && component === undefined) return tags;
  for (const key of ["archetype", "archetype_field", "component"]) tags.delete(`rerun.${key}`);
  const set = (key: string, value: string | undefined) => {
    if (value !== undefined) tags.set(`rerun:${key}`, value);
  };
  if (name.endsWith("Indicator")) {
    const long = name.startsWith("rerun.") ? name : `rerun.components.${name}`;
    set("component", component ?? long);
  } else if (field === undefined) {
    const isIndicator = component!.endsWith("Indicator");
    set("component", component);
    if (archetype === undefined || isIndicator) return tags;
    set("archetype", archetype);
    set("component_type", component);
  } else {
    set("archetype", archetype);
    set("component", archetype === undefined ? field : `${trimmed(archetype)}:${field}`);
    set("component_type", component);
  }
  return tags;
}

function trimmed(archetype: string): string {
  return archetype.trim().replace(/^(rerun\.archetypes\.)+/, "")
    .replace(/^(rerun\.blueprint\.archetypes\.)+/, "");
}

function isIndicator(tags: Tags): boolean {
  const is = tags.get("rerun:is_indicator");
  if (is !== undefined) return is === "true";
  return /^rerun\.components\..*Indicator$/s.test(tags.get("rerun:component") ?? "");
}

function renameTransforms(tags: Tags): void {
  replace(tags, "rerun:component_type", {
    "rerun.components.PoseTranslation3D": "rerun.components.Translation3D",
    "rerun.components.PoseRotationAxisAngle": "rerun.components.RotationAxisAngle",
    "rerun.components.PoseRotationQuat": "rerun.components.RotationQuat",
    "rerun.components.PoseScale3D": "rerun.components.Scale3D",
    "rerun.components.PoseTransformMat3x3": "rerun.components.TransformMat3x3",
  });
  const component = tags.get("rerun:component");
  if (component === "Transform3D:axis_length") {
    tags.set("rerun:archetype", "rerun.archetypes.TransformAxes3D");
    tags.set("rerun:component", "TransformAxes3D:axis_length");
  }
  if (component === "CoordinateFrame:frame_id") {
    tags.set("rerun:component", "CoordinateFrame:frame");
  }
}

function replace(tags: Tags, key: string, by: Readonly<Record<string, string>>): void {
  const value = tags.get(key);
  if (value !== undefined && Object.hasOwn(by, value)) tags.set(key, by[value]!);
}
