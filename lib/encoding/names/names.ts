/**
 * Finds today's names of columns in chunks that name only components.
 *
 * @module
 */
import { ARCHETYPES } from "./archetypes.ts";
import { ENUMERATION, IMAGE_OF_TENSOR, PLANE_OF_TENSOR, type Recast, TENSOR } from "./recasts.ts";
import { SPACE_VIEW_PATHS } from "./view_paths.ts";
import { ARCHETYPE_NAMES, COMPONENT_NAMES, FIELD_COMPONENTS, FIELD_NAMES } from "./renames.ts";

/** The first and last minor version in the table. */
export const [FIRST_MINOR, LAST_MINOR] = [17, 22] as const;

/** A field of an archetype, with its names of that version. */
interface Field {
  readonly archetype: Archetype;
  readonly name: string;
  readonly component: string;
  readonly isRequired: boolean;
  /** Whether its data has the same layout today. */
  readonly isSame: boolean;
}

/** An archetype of one version. */
interface Archetype {
  readonly name: string;
  readonly fields: readonly Field[];
}

/** What a column is called today. */
export interface ColumnName {
  readonly archetype: string;
  readonly field: string;
  readonly component: string;
  /** Whether its data has the same layout today. */
  readonly isSame: boolean;
  /** How its data can be described in today's layout, if that differs. */
  readonly recast?: Recast;
}

/** Components and archetypes of one version. */
export class Names {
  readonly #archetypes = new Map<string, Archetype>();
  readonly #fields = new Map<string, Field[]>();
  readonly #minor: number;

  /** @param minor of Rerun 0.17 to 0.22 */
  constructor(minor: number) {
    this.#minor = minor;
    for (const line of ARCHETYPES) {
      const archetype = readArchetype(line, minor);
      if (archetype.fields.length === 0) continue;
      this.#archetypes.set(archetype.name, archetype);
      for (const field of archetype.fields) {
        const of = this.#fields.get(field.component) ?? [];
        this.#fields.set(field.component, [...of, field]);
      }
    }
  }

  /** The archetype that an indicator names; `undefined` for other components. */
  indicated(component: string): string | undefined {
    const [, path, name] =
      /^(rerun\.(?:blueprint\.)?)components\.(\w+)Indicator$/.exec(component) ??
        [];
    const archetype = `${path}archetypes.${name}`;
    return this.#archetypes.has(archetype) ? archetype : undefined;
  }

  /** Whether archetypes of Rerun have this component. */
  isKnown(component: string): boolean {
    return this.#fields.has(component);
  }

  /**
   * Finds today's name for the column of a component.
   *
   * @param component as the chunk names it
   * @param here archetypes that the chunk itself names
   * @param before archetypes that other chunks of the entity have named
   * @param beside all components of the chunk
   * @returns `undefined` if no archetype has it, or several could, or if its data has another
   * layout today and can't be described in it
   */
  find(
    component: string,
    here: readonly string[],
    before: readonly string[],
    beside: ReadonlySet<string>,
  ): ColumnName | undefined {
    const fields = this.#fields.get(component) ?? [];
    const of = (names: readonly string[]) =>
      fields.filter(({ archetype }) => names.includes(archetype.name));
    const field = likeliest(of(here), beside) ?? likeliest(of(before), beside) ??
      (fields.length === 1 ? fields[0] : undefined);
    if (field === undefined) return undefined;
    const namesViews = this.#minor <= LAST_SPACE_VIEWS && VIEW_PATHS.includes(component);
    if (namesViews) return { ...todaysName(field), recast: SPACE_VIEW_PATHS };
    if (field.isSame) return todaysName(field);
    const recast = recastOf(field, this.#minor);
    return recast && { ...todaysName(field), recast };
  }
}

/** Today's name of a component. */
export function todaysComponent(component: string): string {
  return COMPONENT_NAMES[component] ?? component;
}

/** How data of a field can be described in today's layout, if it can be. */
function recastOf({ archetype, component }: Field, minor: number): Recast | undefined {
  const isTensor = component === "rerun.components.TensorData";
  if (isTensor && TENSORS.includes(archetype.name)) return TENSOR;
  if (isTensor) return PLANES.includes(archetype.name) ? PLANE_OF_TENSOR : IMAGE_OF_TENSOR;
  return minor === FIRST_MINOR && ENUMERATIONS.includes(component) ? ENUMERATION : undefined;
}

/**
 * The last version in which a container may name space views: they were called so up to 0.20, but a
 * container of it under another header may be taken for one of 0.21. Other names stay as they are.
 */
const LAST_SPACE_VIEWS = 21;
/** Components whose values are paths of views. */
const VIEW_PATHS = ["ActiveTab", "IncludedContent"].map((name) =>
  `rerun.blueprint.components.${name}`
);
/** Archetypes of tensors that are not images. */
const TENSORS = ["rerun.archetypes.Tensor", "rerun.archetypes.BarChart"];
/** Images whose values are not colors. */
const PLANES = ["rerun.archetypes.DepthImage", "rerun.archetypes.SegmentationImage"];
/** Enumerations that have kept their numbers. */
const ENUMERATIONS = [
  ...["AggregationPolicy", "Colormap", "MagnificationFilter", "MarkerShape"]
    .map((name) => `rerun.components.${name}`),
  ...["BackgroundKind", "ContainerKind", "Corner2D", "PanelState", "ViewFit"]
    .map((name) => `rerun.blueprint.components.${name}`),
];

function todaysName({ archetype, name, component, isSame }: Field): ColumnName {
  const today = ARCHETYPE_NAMES[archetype.name] ?? archetype.name;
  return {
    archetype: today,
    field: FIELD_NAMES[today]?.[name] ?? name,
    component: FIELD_COMPONENTS[today]?.[name] ?? todaysComponent(component),
    isSame,
  };
}

/**
 * Chooses among several archetypes that share a component in one chunk: first the one that requires
 * this component, then one whose required components are all there, then the one with the most there.
 */
function likeliest(fields: readonly Field[], beside: ReadonlySet<string>): Field | undefined {
  const rank = ({ archetype, isRequired }: Field) => {
    const has = archetype.fields.filter(({ component }) => beside.has(component));
    const isWhole = archetype.fields.every((each) =>
      !each.isRequired || beside.has(each.component)
    );
    return (isRequired ? 2000 : 0) + (isWhole ? 1000 : 0) + has.length;
  };
  let best: Field | undefined;
  for (const field of fields) {
    if (best === undefined || rank(field) > rank(best)) best = field;
  }
  return best;
}

function readArchetype(line: string, minor: number): Archetype {
  const [name, ...texts] = line.split(" ");
  const fields: Field[] = [];
  const archetype = { name: fullName(name!, "archetypes"), fields };
  for (const text of texts) {
    const [, field, sign, component, other, since, until] =
      /^(\w+)([!=])([\w.]+)(~?)(?:@(\d*)-(\d*))?$/.exec(text)!;
    if (minor < Number(since || FIRST_MINOR) || minor > Number(until || LAST_MINOR)) continue;
    fields.push({
      archetype,
      name: field!,
      component: fullName(component!, "components"),
      isRequired: sign === "!",
      isSame: other === "",
    });
  }
  return archetype;
}

function fullName(short: string, kind: "archetypes" | "components"): string {
  const isBlueprint = short.startsWith("blueprint.");
  return `rerun.${isBlueprint ? "blueprint." : ""}${kind}.${short.slice(isBlueprint ? 10 : 0)}`;
}
