/**
 * Names that changed from Rerun 0.23 to today while the data stayed the same, from the type
 * definitions of these versions, and the names of today's columns.
 *
 * @module
 */
import { ARCHETYPE_NAMES, COMPONENT_NAMES } from "./renames.ts";

/** The names of a column of data. */
export interface TodaysName {
  /** As today's Rerun calls the column: `Scalars:scalars`, or the component where no archetype is known. */
  readonly name: string;
  /** Such as `rerun.archetypes.Scalars`. */
  readonly archetype?: string;
  /** Of the archetype, such as `scalars`. */
  readonly field?: string;
  /** Its type, such as `rerun.components.Scalar`. */
  readonly component: string;
}

/** New names of archetypes, with the new names of their fields. */
type Renamed = Readonly<Record<string, readonly [string, Readonly<Record<string, string>>]>>;

/** Archetypes and fields that 0.23 renamed. */
export const RENAMED_IN_23: Renamed = {
  "rerun.archetypes.Scalar": ["rerun.archetypes.Scalars", { scalar: "scalars" }],
  "rerun.archetypes.SeriesLine": [
    "rerun.archetypes.SeriesLines",
    { color: "colors", width: "widths", name: "names" },
  ],
  "rerun.archetypes.SeriesPoint": [
    "rerun.archetypes.SeriesPoints",
    { color: "colors", marker: "markers", name: "names", marker_size: "marker_sizes" },
  ],
};

/** Archetypes that were renamed after 0.23. */
const ARCHETYPES: Renamed = {
  ...RENAMED_IN_23,
  "rerun.archetypes.TimeSeriesScalar": ["rerun.archetypes.Scalars", { scalar: "scalars" }],
  "rerun.archetypes.RecordingProperties": ["rerun.archetypes.RecordingInfo", {}],
};

/** Since 0.30 poses have no components of their own. */
const COMPONENTS: Readonly<Record<string, string>> = {
  "rerun.components.PoseTranslation3D": "rerun.components.Translation3D",
  "rerun.components.PoseRotationAxisAngle": "rerun.components.RotationAxisAngle",
  "rerun.components.PoseRotationQuat": "rerun.components.RotationQuat",
  "rerun.components.PoseScale3D": "rerun.components.Scale3D",
  "rerun.components.PoseTransformMat3x3": "rerun.components.TransformMat3x3",
  "rerun.components.SeriesVisible": "rerun.components.Visible",
};

const TRANSFORM = "rerun.archetypes.Transform3D";

/**
 * Today's name of a column.
 *
 * @param archetype under its name of any version
 * @param field of the archetype
 * @param component under its name of any version
 */
export function todaysName(
  archetype: string | undefined,
  field: string | undefined,
  component: string,
): TodaysName {
  const before = COMPONENT_NAMES[component] ?? component;
  const type = COMPONENTS[before] ?? before;
  if (archetype === undefined || field === undefined) {
    return { name: type, ...(archetype !== undefined && { archetype }), component: type };
  }
  // Since 0.30 shown axes have an archetype of their own.
  const since = ARCHETYPE_NAMES[archetype] ?? archetype;
  const [today, fields] = since === TRANSFORM && field === "axis_length"
    ? ["rerun.archetypes.TransformAxes3D", {} as Readonly<Record<string, string>>]
    : ARCHETYPES[since] ?? [since, {} as Readonly<Record<string, string>>];
  const name = fields[field] ?? field;
  const short = today.replace(/^rerun\.(?:blueprint\.)?archetypes\./, "");
  return { name: `${short}:${name}`, archetype: today, field: name, component: type };
}

/**
 * Whether a component is an indicator, which only told up to SDK 0.23 that an archetype is there.
 */
export function isIndicator(component: string): boolean {
  return /^(?:rerun\.(?:blueprint\.)?components\.)?\w+Indicator$/.test(component);
}

/** Today's name of an archetype of any version. */
export function todaysArchetype(archetype: string): string {
  const since = ARCHETYPE_NAMES[archetype] ?? archetype;
  return ARCHETYPES[since]?.[0] ?? since;
}

/** The archetype that an indicator names, whether known or not; `undefined` for other components. */
export function indicatedArchetype(component: string): string | undefined {
  const [, prefix = "rerun.components.", name] =
    /^(rerun\.(?:blueprint\.)?components\.)?(\w+)Indicator$/.exec(component) ?? [];
  return name === undefined ? undefined : `${prefix.replace("components", "archetypes")}${name}`;
}
