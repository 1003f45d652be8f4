/**
 * The names of a component's column, without its entity.
 *
 * @module
 */
import { compareUtf8 } from "../encoding/arrow/write_stream.ts";
import type { SchemaTag } from "../encoding/arrow/schema_tree.ts";

/** The three names of a component's column; an empty text for a name that it lacks. */
export interface Descriptor {
  /** Such as `rerun.archetypes.Points3D`. */
  readonly archetype: string;
  /** Such as `Points3D:positions`. */
  readonly component: string;
  /** Such as `rerun.components.Position3D`. */
  readonly componentType: string;
}

/** Compares in Rerun's order: descriptors without archetype come first. */
export function compareDescriptors(a: Descriptor, b: Descriptor): number {
  return compareUtf8(a.archetype, b.archetype) || compareUtf8(a.component, b.component) ||
    compareUtf8(a.componentType, b.componentType);
}

/** A text that differs for different descriptors. */
export function descriptorKey({ archetype, component, componentType }: Descriptor): string {
  return JSON.stringify([archetype, component, componentType]);
}

/** The tags of the index's columns that are about this component. */
export function descriptorTags({ archetype, component, componentType }: Descriptor): SchemaTag[] {
  const tag = (key: string, value: string) => value === "" ? [] : [{ key, value }];
  return [
    ...tag("rerun:archetype", archetype),
    { key: "rerun:component", value: component },
    ...tag("rerun:component_type", componentType),
  ];
}

/** The short names, such as `Points3D` and `positions`, of which column names are made. */
export function shortNames({ archetype, component }: Descriptor): readonly string[] {
  const short = archetype.replace(/^rerun\.(archetypes\.|blueprint\.archetypes\.)?/, "");
  const isOf = archetype !== "" && component.startsWith(`${short}:`);
  return [short, isOf ? component.slice(short.length + 1) : component];
}

/**
 * Whether it is the component of a `Clear`, which hides what was logged before on an entity and
 * those below it.
 */
export function isTombstone({ archetype, component, componentType }: Descriptor): boolean {
  return archetype === "rerun.archetypes.Clear" && component === "Clear:is_recursive" &&
    componentType === "rerun.components.ClearIsRecursive";
}

/** The name of a column of an index. */
export function columnName(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(":").replaceAll(/[, .\\-]/g, "_")
    .replace(/^_+/, "");
}

/** The name of a component's column in the schema of a whole recording. */
export function recordingColumnName(entityPath: string, component: string): string {
  const [, , below] = /^\/__properties(\/(.*))?$/s.exec(entityPath) ?? [];
  if (below !== undefined) return `property:${below}:${component}`;
  return entityPath === "/__properties" ? `property:${component}` : `${entityPath}:${component}`;
}
