/**
 * Chunks: what an SDK logged to one entity, as rows with times and components, each read only when
 * it is asked for.
 *
 * @module
 */
import { InvalidMessage } from "../../base/errors.ts";
import type { Numbers } from "../arrow/batch_values.ts";
import type { Batch, DataPlace } from "../arrow/first_batch.ts";
import { Tuid } from "../tuid.ts";
import type { ChunkSchema, ComponentPlan, TimelinePlan, TimelineType } from "./chunk_schema.ts";
import type { ComponentValues } from "./component_types.ts";

export type { Numbers } from "../arrow/batch_values.ts";
export type { TimelineType } from "./chunk_schema.ts";

/** The times of a chunk's rows on one timeline. */
export interface ChunkTimes {
  /** Name of the timeline, such as `frame` or `log_time`. */
  readonly name: string;
  /** Whether its times are counts, moments, or durations. */
  readonly type: TimelineType;
  /** The time of each row: a sequence number, or nanoseconds (for moments, since the Unix epoch). */
  readonly times: BigInt64Array;
  /** For each row 1 if it has a time on this timeline, else 0; absent if all have one. */
  readonly validity?: Uint8Array;
}

/** One component of a chunk, for all of its rows. */
export interface ChunkComponent<Values = unknown> {
  /** Its name in today's Rerun, such as `Scalars:scalars`; its type if no archetype is known. */
  readonly name: string;
  /** Its archetype, such as `rerun.archetypes.Scalars`. */
  readonly archetype?: string;
  /** Its field of the archetype, such as `scalars`. */
  readonly field?: string;
  /** Its type, such as `rerun.components.Scalar`. */
  readonly component: string;
  /**
   * What was logged in a row: an array with one item for each instance.
   *
   * Numbers come as a typed array, if possible a view on the message's own bytes. If an instance
   * has several numbers, such as a position, they follow one another in it. Structs are objects,
   * and a value of a union is `{ kind, value }`.
   *
   * @param row from 0
   * @returns `undefined` where nothing was logged in this row
   * @throws {RangeError} if there is no such row
   * @throws {InvalidMessage} if the data is damaged
   */
  at(row: number): Values | undefined;
  /** The column itself, under the name that the SDK gave it. */
  readonly column: ChunkColumn;
}

/** A column as it was sent. */
export interface ChunkColumn {
  /** The component's name as sent, such as `rerun.components.Scalar` or `Scalars:scalars`. */
  readonly name: string;
  /**
   * The numbers of all rows, one after another; `undefined` if the values are not plain numbers, or
   * some are missing.
   */
  readonly values: Numbers | undefined;
  /**
   * Where the instances of each row begin, counted in instances, with the end of the last row as
   * its last item; `undefined` if rows are not lists. For tables of SDK 0.16 and before these are
   * the rows of the table.
   */
  readonly offsets: Float64Array | undefined;
}

/** What an SDK logged to one entity; SDKs batch rows, so most chunks have many. */
export interface Chunk {
  /** The entity that it was logged to, such as `/robot/camera`. */
  readonly entityPath: string;
  /** How many rows it has. */
  readonly rowCount: number;
  /** Whether it has no times, and is valid at all times. */
  readonly isStatic: boolean;
  /** The id of each row, in order; empty if they were not sent. */
  readonly rowIds: readonly Tuid[];
  /** Its timelines; none if it is static. */
  readonly timelines: readonly ChunkTimes[];
  /**
   * Archetypes that were logged, such as `rerun.archetypes.Image`, if the SDK tells: those before
   * 0.22 do unless components were logged without one.
   */
  readonly archetypes: readonly string[];
  /** Its components, in the order in which they were sent. */
  readonly components: readonly ChunkComponent[];
  /**
   * The component of a name, whose values are typed where Rerun's archetypes say what they are.
   *
   * @param name as today's Rerun calls it, such as `Points3D:positions`; its type, such as
   * `rerun.components.Position3D`; or as it was sent
   */
  component<Name extends keyof ComponentValues | (string & Record<never, never>)>(
    name: Name,
  ):
    | ChunkComponent<Name extends keyof ComponentValues ? ComponentValues[Name] : unknown>
    | undefined;
}

/** A chunk made of the rows of a record batch that belong to one entity. */
export class BatchChunk implements Chunk {
  readonly isStatic: boolean;
  readonly rowCount: number;
  readonly #batch: Batch;
  readonly #schema: ChunkSchema;
  readonly #timelines: readonly TimelinePlan[];
  readonly #plans: readonly ComponentPlan[];
  /** Indices of its rows in the batch; absent if these are all rows in their order. */
  readonly #rows: readonly number[] | undefined;
  readonly #splats: ReadonlyMap<number, number> | undefined;
  readonly #has: ((column: number) => boolean) | undefined;
  #components: readonly BatchComponent[] | undefined;
  #times: readonly ChunkTimes[] | undefined;
  #rowIds: readonly Tuid[] | undefined;

  /**
   * @param entityPath where it was logged to
   * @param batch with all rows
   * @param schema of the batch
   * @param part which of its rows, timelines and components
   */
  constructor(
    readonly entityPath: string,
    batch: Batch,
    schema: ChunkSchema,
    part: {
      readonly timelines: readonly TimelinePlan[];
      readonly components: readonly ComponentPlan[];
      readonly rows?: readonly number[];
      /** Splats: rows whose value counts for each instance of another row, by that other row. */
      readonly splats?: ReadonlyMap<number, number>;
      /** Tells whether a column has values in these rows; left out, all have. */
      readonly has?: (column: number) => boolean;
    },
  ) {
    this.#batch = batch;
    this.#schema = schema;
    this.#timelines = part.timelines;
    this.#plans = part.components;
    this.#rows = part.rows;
    this.#splats = part.splats;
    this.#has = part.has;
    this.rowCount = part.rows?.length ?? batch.rows;
    this.isStatic = part.timelines.length === 0;
  }

  get rowIds(): readonly Tuid[] {
    return this.#rowIds ??= this.#readRowIds();
  }

  get timelines(): readonly ChunkTimes[] {
    return this.#times ??= this.#timelines.map((plan) => this.#readTimes(plan));
  }

  get components(): readonly ChunkComponent[] {
    return this.#all();
  }

  get archetypes(): readonly string[] {
    return this.#schema.archetypes(this.#has);
  }

  component<Name extends keyof ComponentValues | (string & Record<never, never>)>(
    name: Name,
  ):
    | ChunkComponent<Name extends keyof ComponentValues ? ComponentValues[Name] : unknown>
    | undefined {
    const all = this.#all();
    // First by today's name, which only one component has, and which most callers use.
    const found = all.find((each) => each.name === name) ??
      all.find((each) => each.component === name || each.sentName === name);
    return found as ReturnType<Chunk["component"]> as undefined;
  }

  #all(): readonly BatchComponent[] {
    return this.#components ??= this.#plans.map((plan) =>
      new BatchComponent(plan, this.#batch, this.#rows, this.#splats)
    ).filter((component) => component.isThere());
  }

  #readTimes({ column, name, type, unit }: TimelinePlan): ChunkTimes {
    const { places, values } = this.#batch;
    const place = places[column]!;
    const rows = this.#rows;
    let times: BigInt64Array;
    if (rows === undefined) {
      times = values.numbers(place) as BigInt64Array;
      // Copied: a message's bytes may be used again, and the caller may change this array.
      if (times.buffer === values.buffer) times = times.slice();
    } else {
      const all = values.numbers(place) as BigInt64Array;
      times = BigInt64Array.from(rows, (row) => all[row]!);
    }
    if (unit !== 1n) { for (let i = 0; i < times.length; i++) times[i] = times[i]! * unit; }
    if (place.nulls === 0) return { name, type, times };
    const validity = new Uint8Array(this.rowCount);
    for (let i = 0; i < validity.length; i++) {
      validity[i] = values.isValid(place, rows?.[i] ?? i) ? 1 : 0;
    }
    return validity.includes(0) ? { name, type, times, validity } : { name, type, times };
  }

  #readRowIds(): readonly Tuid[] {
    const place = this.#batch.places[this.#schema.rowIds];
    if (place === undefined) return [];
    const read = rowIdReader(this.#batch, place);
    return Array.from({ length: this.rowCount }, (_, i) => read(this.#rows?.[i] ?? i));
  }
}

/**
 * Makes a function that reads row ids.
 *
 * @param batch with all rows
 * @param place of the column of ids
 */
export function rowIdReader({ values }: Batch, place: DataPlace): (row: number) => Tuid {
  const [time, inc] = place.children;
  if (time !== undefined && inc !== undefined) {
    const [times, incs] = [time, inc].map((each) => values.numbers(each));
    if (times instanceof BigUint64Array && incs instanceof BigUint64Array) {
      return (row) => new Tuid(times[row]!, incs[row]!);
    }
  }
  return (row) => {
    const bytes = values.row(place, row);
    if (!(bytes instanceof Uint8Array) || bytes.length !== 16) {
      throw new InvalidMessage("The column of a chunk's row ids holds something else");
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
    return new Tuid(view.getBigUint64(0), view.getBigUint64(8));
  };
}

class BatchComponent implements ChunkComponent {
  readonly name: string;
  readonly component: string;
  readonly archetype?: string;
  readonly field?: string;
  readonly sentName: string;
  readonly #batch: Batch;
  readonly #place: DataPlace;
  readonly #rows: readonly number[] | undefined;
  readonly #splats: ReadonlyMap<number, number> | undefined;
  readonly #today: ComponentPlan["today"];

  constructor(
    plan: ComponentPlan,
    batch: Batch,
    rows: readonly number[] | undefined,
    splats: ReadonlyMap<number, number> | undefined,
  ) {
    this.name = plan.name;
    this.component = plan.component;
    if (plan.archetype !== undefined) this.archetype = plan.archetype;
    if (plan.field !== undefined) this.field = plan.field;
    this.sentName = plan.sentName;
    this.#batch = batch;
    this.#place = batch.places[plan.column]!;
    this.#rows = rows;
    this.#splats = splats;
    this.#today = plan.today;
  }

  /**
   * Whether the component is there at all: of one old component that is several today, some may be
   * missing.
   */
  isThere(): boolean {
    if (this.#today === undefined) return true;
    const length = this.#rows?.length ?? this.#batch.rows;
    try {
      for (let row = 0; row < length; row++) if (this.at(row) !== undefined) return true;
    } catch (error) {
      // Whoever asks for the value gets the error.
      if (error instanceof InvalidMessage) return true;
      throw error;
    }
    return false;
  }

  at(row: number): unknown {
    const length = this.#rows?.length ?? this.#batch.rows;
    if (!Number.isInteger(row) || row < 0 || row >= length) {
      throw new RangeError(`There is no row ${row} among ${length}`);
    }
    const { values } = this.#batch;
    const at = this.#rows?.[row] ?? row;
    let value = values.row(this.#place, at);
    const splat = value === undefined ? this.#splats?.get(at) : undefined;
    if (splat !== undefined) value = values.row(this.#place, splat);
    return this.#today === undefined || !Array.isArray(value) ? value : this.#today(value);
  }

  get column(): ChunkColumn {
    return new BatchColumn(this.sentName, this.#batch, this.#place);
  }
}

class BatchColumn implements ChunkColumn {
  readonly #batch: Batch;
  readonly #place: DataPlace;

  constructor(readonly name: string, batch: Batch, place: DataPlace) {
    this.#batch = batch;
    this.#place = place;
  }

  get values(): Numbers | undefined {
    const place = this.#batch.values.isList(this.#place) ? this.#place.children[0]! : this.#place;
    return this.#batch.values.isNumbers(place) ? this.#batch.values.numbers(place) : undefined;
  }

  get offsets(): Float64Array | undefined {
    const { values } = this.#batch;
    return values.isList(this.#place) ? values.offsets(this.#place) : undefined;
  }
}
