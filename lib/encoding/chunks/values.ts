/**
 * Values of one component, and counts by entity, from any source of messages.
 *
 * @module
 */
import { checkGiven, checkOptions } from "../../base/check_arguments.ts";
import { valueText } from "../../base/check_options.ts";
import { InvalidMessage } from "../../base/errors.ts";
import type { LogMsg } from "../log_msg.ts";
import type { Chunk, ChunkTimes } from "./chunk.ts";
import { chunks } from "./chunks.ts";
import type { ComponentValues } from "./component_types.ts";

/**
 * A message in any of the forms in which servers and files give it: alone, with its source, in
 * batches, or with its place in a file.
 */
export type Logged =
  | LogMsg
  | { readonly msg: LogMsg }
  | { readonly payload: { readonly type: string; readonly msg?: LogMsg } }
  | readonly Logged[];

/** Whatever gives messages: a server, its `batches()`, the messages of a file, an array. */
export type LoggedSource = AsyncIterable<Logged> | Iterable<Logged>;

/** Which values {@linkcode values} gives. */
export interface ValuesOptions<Name extends string = string> {
  /** The entity that they are logged to, such as `/robot/speed`. */
  readonly entity: string;
  /** The component, named as in {@linkcode Chunk.component}, such as `Scalars:scalars`. */
  readonly component: Name;
  /**
   * The timeline of the times. Default: for each row the first sequence that the program has set,
   * else its first other timeline, else `log_time`.
   */
  readonly timeline?: string;
}

/** What was logged at one time. */
export interface TimedValue<Value> {
  /** A sequence number, or nanoseconds; `undefined` for static data. */
  readonly time: bigint | undefined;
  /** An array with one item for each instance. */
  readonly value: Value;
}

/** What a row of a component holds, by the component's name; `unknown` where that is not known. */
export type ValueOf<Name extends string> = Name extends keyof ComponentValues
  ? ComponentValues[Name]
  : unknown;

/**
 * The values of one component of one entity, each with its time, as they come.
 *
 * Messages with damaged data, and rows without a time on the given timeline, are left out.
 *
 * @param messages such as a server, or the messages of a file
 * @param options which entity, which component, on which timeline
 * @throws {TypeError} if the entity or the component is not named, or nothing gives messages
 *
 * @example
 * ```ts
 * import { RrdDecoder, values } from "@rerelay/server/encoding";
 * import { assertEquals } from "@std/assert";
 *
 * const file = Uint8Array.of(0x52, 0x52, 0x46, 0x32, 0, 22, 1, 0, 0, 1, 0, 0); // yours has messages
 * const { items } = new RrdDecoder().push(file);
 * const speeds = values(items, { entity: "/robot/speed", component: "Scalars:scalars" });
 * assertEquals(await Array.fromAsync(speeds), []); // { time: 7n, value: Float64Array [ 0.5 ] } …
 * ```
 */
export async function* values<Name extends keyof ComponentValues | (string & Record<never, never>)>(
  messages: LoggedSource,
  options: ValuesOptions<Name>,
): AsyncGenerator<TimedValue<ValueOf<Name>>> {
  checkSource("values", messages);
  checkOptions("values", options, { entity: true, component: true, timeline: true });
  const { entity, component, timeline } = options;
  for (const [name, value] of Object.entries({ entity, component })) {
    if (typeof value !== "string" || value === "") {
      throw new TypeError(`${name} must be a text, not ${valueText(value)}`);
    }
  }
  if (timeline !== undefined && typeof timeline !== "string") {
    throw new TypeError(`timeline must be a text, not ${valueText(timeline)}`);
  }
  const path = entity.startsWith("/") ? entity : `/${entity}`;
  for await (const each of messages) {
    for (const msg of messagesOf(each)) {
      for (const chunk of readable(msg)) {
        if (chunk.entityPath === path) yield* valuesOf(chunk, component, timeline);
      }
    }
  }
}

/** How much was logged to one entity. */
export interface EntityCount {
  /** How many messages have data of it. */
  messages: number;
  /** How many of their rows have data of it. */
  rows: number;
  /** Bytes of the messages that have data of no other entity. */
  bytes: number;
}

/** How many entities are counted separately; peers may name as many as they like. */
const MAX_ENTITIES = 65_536;
const [OTHERS, DAMAGED] = ["(others)", "(damaged)"];

/**
 * Counts what is logged by entity, until the messages end, as they do when a server is closed.
 *
 * @param messages such as a server, or the messages of a file
 * @returns by entity; from the 65,537th on under `(others)`, and what can't be read under `(damaged)`
 * @throws {TypeError} if nothing gives messages
 *
 * @example
 * ```ts
 * import { byEntity, RrdDecoder } from "@rerelay/server/encoding";
 * import { assertEquals } from "@std/assert";
 *
 * const file = Uint8Array.of(0x52, 0x52, 0x46, 0x32, 0, 22, 1, 0, 0, 1, 0, 0); // yours has messages
 * const counts = await byEntity(new RrdDecoder().push(file).items);
 * assertEquals([...counts], []); // [["/robot/speed", { messages: 2, rows: 100, bytes: 5000 }]] …
 * ```
 */
export async function byEntity(messages: LoggedSource): Promise<Map<string, EntityCount>> {
  checkSource("byEntity", messages);
  const counts = new Map<string, EntityCount>();
  const count = (name: string, rows: number, bytes: number) => {
    const key = counts.has(name) || counts.size < MAX_ENTITIES ? name : OTHERS;
    const known = counts.get(key) ?? { messages: 0, rows: 0, bytes: 0 };
    known.messages++;
    known.rows += rows;
    known.bytes += bytes;
    counts.set(key, known);
  };
  for await (const each of messages) {
    for (const msg of messagesOf(each)) {
      if (msg.kind !== "ArrowMsg") continue;
      const { length } = msg.encoded.bytes;
      const all = readable(msg);
      if (all.length === 0) count(DAMAGED, 0, length);
      for (const { entityPath, rowCount, components } of all) {
        // Chunks of SDK 0.22 and 0.23 that only tell which archetypes there are have no data.
        const rows = components.length === 0 ? 0 : rowCount;
        count(entityPath, rows, all.length === 1 ? length : 0);
      }
    }
  }
  return counts;
}

function checkSource(taker: string, messages: unknown): void {
  const gives = typeof messages === "object" && messages !== null &&
    (Symbol.asyncIterator in messages || Symbol.iterator in messages);
  checkGiven(taker, "what gives messages, such as a server", gives, messages);
}

function* messagesOf(logged: Logged): Generator<LogMsg> {
  const isLogged = typeof logged === "object" && logged !== null;
  checkGiven("values", "log messages, or what has them", isLogged, logged);
  if (isArray(logged)) { for (const each of logged) yield* messagesOf(each); }
  else if ("payload" in logged) {
    if (logged.payload.msg !== undefined) yield logged.payload.msg;
  } else if ("msg" in logged) yield logged.msg;
  else yield logged;
}

function isArray(logged: Logged): logged is readonly Logged[] {
  return Array.isArray(logged);
}

function readable(msg: LogMsg): Chunk[] {
  if (msg.kind !== "ArrowMsg") return [];
  try {
    return chunks(msg);
  } catch (error) {
    if (error instanceof InvalidMessage) return [];
    throw error;
  }
}

function* valuesOf<Value>(
  chunk: Chunk,
  component: string,
  timeline: string | undefined,
): Generator<TimedValue<Value>> {
  const found = chunk.component(component);
  if (found === undefined) return;
  const timelines = timelinesOf(chunk.timelines, timeline);
  if (timelines.length === 0 && !chunk.isStatic) return;
  for (let row = 0; row < chunk.rowCount; row++) {
    // In tables of SDK 0.9 to 0.16 rows may have different timelines: each row is looked at alone.
    const times = timelines.find(({ validity }) => validity?.[row] !== 0);
    if (times === undefined && !chunk.isStatic) continue;
    const value = valueAt(found, row);
    if (value !== undefined) yield { time: times?.times[row], value: value as Value };
  }
}

function valueAt(component: { at(row: number): unknown }, row: number): unknown {
  try {
    return component.at(row);
  } catch (error) {
    if (error instanceof InvalidMessage) return undefined;
    throw error;
  }
}

/** The timelines to look at: the time of a row is that on the first on which it has one. */
function timelinesOf(
  timelines: readonly ChunkTimes[],
  name: string | undefined,
): readonly ChunkTimes[] {
  if (name !== undefined) return timelines.filter((each) => each.name === name);
  const rank = ({ name, type }: ChunkTimes) =>
    name === "log_time" ? 2 : name === "log_tick" ? 3 : type === "sequence" ? 0 : 1;
  return timelines.toSorted((a, b) => rank(a) - rank(b));
}
