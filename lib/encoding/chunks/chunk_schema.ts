/**
 * What the schemas of chunks say. A schema is read once for all messages that repeat it, except for
 * an id, a size or a time of sending.
 *
 * @module
 */
import { InvalidMessage } from "../../base/errors.ts";
import { forgetOldest } from "../../base/forget_oldest.ts";
import { BatchFinder } from "../arrow/first_batch.ts";
import type { SchemaField, SchemaTag } from "../arrow/schema_tree.ts";
import type { Names } from "../names/names.ts";
import { VersionNames } from "../names/version_names.ts";
import type { RrdVersion } from "../rrd_header.ts";
import type { ChunkTree, ChunkTrees } from "./chunk_trees.ts";
import {
  indicatedArchetype,
  isIndicator,
  todaysArchetype,
  type TodaysName,
  todaysName,
} from "../names/today.ts";
import { OLD_COMPONENTS, type OldValue, oldValues } from "./old_values.ts";

/** How many sets of components are remembered for one table. */
const MAX_SETS = 64;

/** Whether the times on a timeline are counts, moments, or durations. */
export type TimelineType = "sequence" | "timestamp" | "duration";

/** A timeline of a chunk. */
export interface TimelinePlan {
  /** Index of its column. */
  readonly column: number;
  readonly name: string;
  readonly type: TimelineType;
  /** Nanoseconds of its unit; 1 for sequences. */
  readonly unit: bigint;
}

/** A component of a chunk. */
export interface ComponentPlan extends TodaysName {
  /** Index of its column. */
  readonly column: number;
  readonly sentName: string;
  /** Turns a value into today's layout, if it had another one. */
  readonly today?: OldValue["today"];
}

/** Nanoseconds of Arrow's units of time, by their numbers. */
const UNITS = [1_000_000_000n, 1_000_000n, 1_000n, 1n];

/** What the schema of a chunk or table says. */
export class ChunkSchema {
  /** Absent for the tables of SDK 0.16 and before. */
  readonly entityPath: string | undefined;
  readonly finder: BatchFinder;
  /** Index of the column of row ids; −1 if there is none. */
  readonly rowIds: number;
  /** Index of the column of entity paths, which tables have; −1 if there is none. */
  readonly paths: number;
  readonly timelines: readonly TimelinePlan[];
  readonly #data: readonly (readonly [number, SchemaField])[];
  readonly #names: Names;
  readonly #minor: number;
  readonly #sets = new Map<string, readonly ComponentPlan[]>();

  /**
   * @param tree the schema
   * @param names of its version
   * @throws {InvalidMessage} if it has a type that is not known
   */
  constructor(tree: ChunkTree, names: Names) {
    this.entityPath = tree.entityPath;
    this.finder = new BatchFinder(tree);
    this.#names = names;
    this.#minor = tree.minor;
    const columns = tree.fields.map((field, i) => [i, field] as const);
    const of = (pattern: RegExp) => tree.fields.findIndex(({ name }) => pattern.test(name));
    this.rowIds = of(/^rerun\.(?:controls\.RowId|row_id)$/);
    this.paths = of(/^rerun\.(?:controls\.EntityPath|entity_path)$/);
    this.timelines = columns.filter(([, field]) => kindOf(field) === "index").map(timeline);
    this.#data = columns.filter(([, field]) => kindOf(field) === "data");
  }

  /**
   * The components in the columns of data, without indicators.
   *
   * @param has whether a column has any; all have if it is not given
   */
  components(has?: (column: number) => boolean): readonly ComponentPlan[] {
    const data = has === undefined ? this.#data : this.#data.filter(([column]) => has(column));
    const key = has === undefined ? "" : data.map(([column]) => column).join();
    const known = this.#sets.get(key);
    if (known !== undefined) return known;
    const beside = new Set(data.map(([, { name }]) => name));
    const here = [...beside].map((name) => this.#names.indicated(name))
      .filter((name) => name !== undefined);
    const components = data.filter(([, field]) => !isIndicator(field.name))
      .flatMap(([column, field]) =>
        this.#namesOf(field, here, beside)
          .map((named): ComponentPlan => ({ column, sentName: field.name, ...named }))
      );
    this.#sets.set(key, components);
    forgetOldest(this.#sets, MAX_SETS);
    return components;
  }

  /**
   * Archetypes that columns of data belong to, or that indicators name.
   *
   * @param has whether a column has any; all have if it is not given
   */
  archetypes(has: (column: number) => boolean = () => true): readonly string[] {
    const names = this.#data.filter(([column]) => has(column))
      .map(([, { name, tags }]) => archetypeOf(tags) ?? indicatedArchetype(name))
      .filter((name) => name !== undefined);
    return [...new Set(names.map(todaysArchetype))];
  }

  #namesOf(
    { name, tags }: SchemaField,
    here: readonly string[],
    beside: ReadonlySet<string>,
  ): readonly (TodaysName & Pick<ComponentPlan, "today">)[] {
    const archetype = archetypeOf(tags);
    const told = tag(tags, "component");
    // Since SDK 0.24 the column names the archetype's field.
    const field = tag(tags, "archetype_field") ?? tag(tags, "archetype_field_name") ??
      (archetype === undefined ? undefined : told?.slice(told.indexOf(":") + 1));
    const sent = tag(tags, "component_type") ?? told ?? name;
    const component = OLD_COMPONENTS[sent] ?? sent;
    if (archetype !== undefined || !this.#names.isKnown(component)) {
      return [todaysName(archetype, field, component)];
    }
    const likely = this.#names.find(component, here, [], beside);
    const old = oldValues(component, likely, this.#minor);
    if (old !== undefined) {
      return old.map((each) => ({
        ...todaysName(each.archetype, each.field, each.component),
        today: each.today,
      }));
    }
    // Not if the data has another layout than today's name promises.
    const found = likely?.isSame ? likely : undefined;
    return [todaysName(found?.archetype, found?.field, found?.component ?? component)];
  }
}

/** Schemas of chunks that came before. */
export class ChunkSchemas {
  readonly #trees: ChunkTrees;
  readonly #schemas = new WeakMap<ChunkTree, ChunkSchema>();
  readonly #names = new VersionNames();

  /** @param trees trees that the schemas are read from */
  constructor(trees: ChunkTrees) {
    this.#trees = trees;
  }

  /**
   * Reads the schema of a chunk.
   *
   * @param ipc an Arrow IPC stream, not compressed
   * @param version of the SDK
   * @returns the schema, and where it ends
   * @throws {InvalidMessage} if it is damaged, or has a type that is not known
   */
  of(ipc: Uint8Array, version: RrdVersion): { readonly schema: ChunkSchema; readonly end: number } {
    const { tree, end } = this.#trees.of(ipc, version);
    let schema = this.#schemas.get(tree);
    if (schema === undefined) {
      const minor = tree.entityPath === undefined
        ? tree.minor
        : this.#names.minorOf(tree.minor, tree);
      schema = new ChunkSchema({ ...tree, minor }, this.#names.of(minor));
      this.#schemas.set(tree, schema);
    }
    return { schema, end };
  }
}

function timeline([column, field]: readonly [number, SchemaField]): TimelinePlan {
  const { type, parameters: [first, second] } = field;
  const name = timelineOf(field)!;
  if (field.dictionary === undefined) {
    const unit = UNITS[Number(first)];
    // Numbers of Arrow's types: Int, Timestamp, Duration.
    if (type === 2 && first === 64 && second === true) {
      return { column, name, type: "sequence", unit: 1n };
    }
    if (type === 10 && unit !== undefined) return { column, name, type: "timestamp", unit };
    if (type === 18 && unit !== undefined) return { column, name, type: "duration", unit };
  }
  throw new InvalidMessage(`The timeline ${JSON.stringify(name)} is of a type that has no times`);
}

/**
 * The name of the timeline that a column belongs to.
 *
 * @returns `undefined` if it is another column
 */
export function timelineOf(field: SchemaField): string | undefined {
  return kindOf(field) === "index" ? tag(field.tags, "index_name") ?? field.name : undefined;
}

function kindOf({ tags }: SchemaField): string {
  const kind = tag(tags, "kind") ?? "data";
  return kind === "time" ? "index" : kind;
}

function archetypeOf(tags: readonly SchemaTag[]): string | undefined {
  return tag(tags, "archetype") ?? tag(tags, "archetype_name");
}

function tag(tags: readonly SchemaTag[], name: string): string | undefined {
  return tags.find(({ key }) => key === `rerun:${name}` || key === `rerun.${name}`)?.value;
}
