/**
 * `rrd compare`: whether two files hold the same data, whatever their encoding and chunking.
 *
 * Each file is read once; of each entity only a sum is kept, which does not depend on the order of
 * its values. Only where sums differ, both are read again to find the values.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { InvalidMessage } from "../../base/errors.ts";
import { escapeText } from "../../base/escape.ts";
import type { ArrowMsg } from "../../encoding/arrow_msg.ts";
import { type Chunk, chunks } from "../../encoding/mod.ts";
import type { StoreId } from "../../encoding/message_parts.ts";
import { todaysViewPath } from "../../encoding/names/view_paths.ts";
import { storeKey } from "../../encoding/store_of.ts";
import { type LoggedValue, loggedValues, timesOf } from "../../recordings/logged_values.ts";
import { EXIT } from "../exit_codes.ts";
import { plural } from "../../base/plural.ts";
import type { RrdContext } from "./context.ts";
import { InputError, nameOf, parts, partsOver } from "./input.ts";
import type { RrdOptions } from "./options.ts";
import { shortText } from "./value_text.ts";

/** How many entities a file may have. */
const MAX_ENTITIES = 1 << 20;
/** How many values are compared one by one at a time, to find those that differ. */
const MAX_VALUES = 1 << 20;
/** How many differences are shown. */
const MOST_SHOWN = 10;

/** All values of an entity, in any order. */
interface Sum {
  values: number;
  low: bigint;
  high: bigint;
}

/** A recording or blueprint of a file. */
interface Store {
  readonly id: StoreId;
  readonly entities: Map<string, Sum>;
}

/** A value that one of the files has more often than the other. */
interface Found {
  readonly recording: string;
  readonly entity: string;
  readonly component: string;
  /** Times by timeline; none for static data. */
  readonly times: Readonly<Record<string, string>>;
  readonly static: boolean;
  readonly text: string;
}

/** One line of what is reported; `a` or `b` is absent where only the other file has a value there. */
interface Difference extends Omit<Found, "text"> {
  a?: string;
  b?: string;
}

/** Runs the command. */
export async function compare(options: RrdOptions, context: RrdContext): Promise<number> {
  const { process, progress } = context;
  const [a, b] = options.files as [string, string];
  const sums = [await sumsOf(a, options, context), await sumsOf(b, options, context)] as const;
  const pairs = paired(sums[0], sums[1]);
  const unlike = pairs.map((pair) => ({ pair, entities: unlikeEntities(pair) }))
    .filter(({ pair, entities }) => entities.size > 0 || pair.a === undefined || !pair.b);
  const isEqual = unlike.length === 0;
  const search = new Search(unlike, options, context);
  const differences = isEqual ? [] : await search.find(a, b);
  progress.done();
  const values = sums.map(countOf);
  const entities = unlike.reduce((sum, { entities }) => sum + entities.size, 0);
  if (options.json) {
    const report = {
      ...{ a, b, equal: isEqual, values_a: values[0], values_b: values[1] },
      ...{ different_entities: entities, complete: search.isComplete, differences },
    };
    process.stdout(`${JSON.stringify(report)}\n`);
  } else if (isEqual) {
    process.stdout(`equal: ${plural(values[0]!, "value")}\n`);
  } else {
    const lines = [...unlike.flatMap(({ pair }) => missing(pair, a, b)), ...differences.map(line)];
    const counts = `${plural(values[0]!, "value")} in the first file, ${values[1]} in the second`;
    process.stdout(
      `different: ${entities} ${entities === 1 ? "entity" : "entities"}; ${counts}\n${
        lines.join("")
      }`,
    );
    if (!search.isComplete) process.stdout("  … and more\n");
  }
  return isEqual ? EXIT.ok : EXIT.failed;
}

/** Which recordings of the files are compared with each other. */
interface Pair {
  readonly a?: Store;
  readonly b?: Store;
}

/**
 * Pairs the recordings of the files by their ids; if each file has one of a kind, these two,
 * whatever their ids are.
 */
function paired(a: ReadonlyMap<string, Store>, b: ReadonlyMap<string, Store>): Pair[] {
  const pairs: Pair[] = [];
  for (const kind of ["Recording", "Blueprint"]) {
    const [ofA, ofB] = [a, b].map((all) => [...all.values()].filter(({ id }) => id.kind === kind));
    if (ofA!.length === 1 && ofB!.length === 1) pairs.push({ a: ofA![0]!, b: ofB![0]! });
    else {
      for (const each of ofA!) {
        const other = b.get(storeKey(each.id));
        pairs.push(other === undefined ? { a: each } : { a: each, b: other });
      }
      for (const each of ofB!) if (!a.has(storeKey(each.id))) pairs.push({ b: each });
    }
  }
  return pairs;
}

function unlikeEntities({ a, b }: Pair): Set<string> {
  const names = new Set([...a?.entities.keys() ?? [], ...b?.entities.keys() ?? []]);
  return new Set([...names].filter((name) => {
    const [one, other] = [a?.entities.get(name), b?.entities.get(name)];
    return one?.values !== other?.values || one?.low !== other?.low || one?.high !== other?.high;
  }));
}

function countOf(stores: ReadonlyMap<string, Store>): number {
  let count = 0;
  for (const { entities } of stores.values()) {
    for (const { values } of entities.values()) count += values;
  }
  return count;
}

/** Each recording of a file that has data, with sums of its entities. */
async function sumsOf(
  path: string,
  options: RrdOptions,
  context: RrdContext,
): Promise<Map<string, Store>> {
  const stores = new Map<string, Store>();
  let entities = 0;
  for await (const [msg, chunk, { bytes }] of valuesOf(path, options, context)) {
    const key = storeKey(msg.storeId);
    let store = stores.get(key);
    if (store === undefined) stores.set(key, store = { id: msg.storeId, entities: new Map() });
    const entity = entityOf(msg, chunk);
    let sum = store.entities.get(entity);
    if (sum === undefined) {
      if (++entities > MAX_ENTITIES) {
        throw new InputError(nameOf(path), `it has more than ${MAX_ENTITIES} entities`, undefined);
      }
      store.entities.set(entity, sum = { values: 0, low: 0n, high: 0n });
    }
    const digest = digestOf(bytes);
    sum.values++;
    sum.low = BigInt.asUintN(64, sum.low + digest.readBigUInt64LE(0));
    sum.high = BigInt.asUintN(64, sum.high + digest.readBigUInt64LE(8));
  }
  return stores;
}

function digestOf(bytes: Uint8Array) {
  return createHash("sha256").update(bytes).digest();
}

/**
 * Every value of a file, or an error that names the file.
 *
 * @param wanted which chunks are looked into; absent for all, and then what is wrong with the file
 * is told
 */
async function* valuesOf(
  path: string,
  options: RrdOptions,
  context: RrdContext,
  wanted?: (msg: ArrowMsg, chunk: Chunk) => boolean,
): AsyncGenerator<[ArrowMsg, Chunk, LoggedValue]> {
  const read = wanted === undefined ? partsOver : parts;
  for await (const batch of read(path, options, context)) {
    for (const part of batch) {
      if (part.kind !== "message") continue;
      const { msg } = part;
      if (msg.kind === "UnknownMsg") {
        const why = `it has a message of unknown kind ${msg.name}, which can't be compared`;
        throw new InputError(nameOf(path), why, undefined);
      }
      if (msg.kind !== "ArrowMsg") continue;
      try {
        for (const chunk of chunks(msg)) {
          if (wanted?.(msg, chunk) === false) continue;
          for (const value of loggedValues(chunk, options.ignoreTimelines)) {
            if (isStart(chunk, value)) continue;
            yield [msg, chunk, value];
          }
        }
      } catch (error) {
        if (!(error instanceof InvalidMessage)) throw error;
        throw new InputError(nameOf(path), `a chunk can't be read: ${error.message}`, error);
      }
    }
  }
}

/** Where a chunk is, by today's name: views were called space views up to 0.20. */
function entityOf({ storeId }: ArrowMsg, { entityPath }: Chunk): string {
  return storeId.kind === "Blueprint" ? todaysViewPath(entityPath) : entityPath;
}

/** What SDK 0.23 and later say of a recording by themselves, those before in the announcement. */
function isStart({ entityPath }: Chunk, { component: { name } }: LoggedValue): boolean {
  return name === "RecordingInfo:start_time" && /^\/__properties(\/recording)?$/.test(entityPath);
}

/** Entities whose values differ, of one recording. */
interface Unlike {
  readonly pair: Pair;
  readonly entities: ReadonlySet<string>;
}

/** Looks for the values that differ, in entities whose sums differ. */
class Search {
  /** Whether all differences were found. */
  isComplete = true;
  readonly #entities: ReadonlyMap<string, readonly [recording: string, ReadonlySet<string>]>;
  /** In how many rounds the values are compared, each with a part of them, to bound the memory. */
  readonly #rounds: number;

  constructor(
    unlike: readonly Unlike[],
    readonly options: RrdOptions,
    readonly context: RrdContext,
  ) {
    this.#entities = new Map(
      unlike.flatMap(({ pair: { a, b }, entities }) =>
        [a, b].filter((store) => store !== undefined)
          .map(({ id }) => [storeKey(id), [(a ?? b)!.id.id, entities]] as const)
      ),
    );
    let values = 0;
    for (const { pair: { a, b }, entities } of unlike) {
      for (const name of entities) {
        values += (a?.entities.get(name)?.values ?? 0) + (b?.entities.get(name)?.values ?? 0);
      }
    }
    this.#rounds = Math.ceil(values / MAX_VALUES);
  }

  /** The first differences of the first round that finds some. */
  async find(a: string, b: string): Promise<Difference[]> {
    for (let round = 0; round < this.#rounds; round++) {
      const found = await this.#round(a, b, round);
      this.isComplete &&= round === this.#rounds - 1;
      if (found.length > 0) return found;
    }
    return [];
  }

  async #round(a: string, b: string, round: number): Promise<Difference[]> {
    /** How many more of each value the first file has. */
    const surplus = new Map<string, number>();
    for (const [path, step] of [[a, 1], [b, -1]] as const) {
      for await (const [key] of this.#values(path, round)) {
        const more = (surplus.get(key) ?? 0) + step;
        if (more === 0) surplus.delete(key);
        else surplus.set(key, more);
      }
    }
    if (surplus.size === 0) return [];
    const found: Difference[] = [];
    const byPlace = new Map<string, Difference[]>();
    for (const [path, side, sign] of [[a, "a", 1], [b, "b", -1]] as const) {
      for await (const [key, describe] of this.#values(path, round)) {
        const more = surplus.get(key) ?? 0;
        if (more * sign <= 0) continue;
        surplus.set(key, more - sign);
        const { text, ...where } = describe();
        const place = JSON.stringify(where);
        const here = byPlace.get(place) ?? [];
        const other = here.find((each) => each[side] === undefined);
        if (other !== undefined) other[side] = text;
        else if (found.length >= MOST_SHOWN) this.isComplete = false;
        else {
          const difference = { ...where, [side]: text };
          found.push(difference);
          byPlace.set(place, [...here, difference]);
        }
      }
    }
    return found;
  }

  async *#values(path: string, round: number): AsyncGenerator<[key: string, () => Found]> {
    const { ignoreTimelines } = this.options;
    const of = (msg: ArrowMsg) => this.#entities.get(storeKey(msg.storeId));
    const wanted = (msg: ArrowMsg, chunk: Chunk) => of(msg)?.[1].has(entityOf(msg, chunk)) ?? false;
    const values = valuesOf(path, this.options, this.context, wanted);
    for await (const [msg, chunk, { bytes, component, value, row }] of values) {
      const digest = digestOf(bytes);
      if (digest.readUInt32LE(0) % this.#rounds !== round) continue;
      const [recording] = of(msg)!;
      const entity = entityOf(msg, chunk);
      const { isStatic } = chunk;
      const front = JSON.stringify([msg.storeId.kind, recording, entity]);
      yield [front + digest.toString("base64"), () => ({
        ...{ recording, entity, component: component.name, static: isStatic },
        times: Object.fromEntries(
          [...timesOf(chunk, row, ignoreTimelines)].map(([name, time]) => [name, `${time}`]),
        ),
        text: shortText(value),
      })];
    }
  }
}

function missing({ a, b }: Pair, first: string, second: string): string[] {
  if (a !== undefined && b !== undefined) return [];
  const { id, kind } = (a ?? b)!.id;
  return [
    `  ${kind.toLowerCase()} ${escapeText(id)} is only in ${escapeText(a ? first : second)}\n`,
  ];
}

function line({ entity, component, times, static: isStatic, a, b }: Difference): string {
  const when = isStatic
    ? "static"
    : Object.entries(times).map(([name, time]) => `${escapeText(name)}=${time}`).join(" ");
  // Values that are too long for a line may differ in the rest.
  const other = a === b ? `${b} of other contents` : b;
  const values = `${a ?? "(not there)"} | ${other ?? "(not there)"}`;
  return `  ${escapeText(entity)} ${escapeText(component)} ${when}: ${values}\n`;
}
