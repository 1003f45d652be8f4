/**
 * What was logged, value by value, whatever the encoding and the chunking: each value of a
 * component with the times of its row, as bytes. Two values have equal bytes only if name, value
 * and times are equal.
 *
 * @module
 */
import type { Chunk, ChunkComponent, ChunkTimes } from "../encoding/chunks/chunk.ts";
import { todaysViewPath } from "../encoding/names/view_paths.ts";

/** A value of a component in one row. */
export interface LoggedValue {
  readonly component: ChunkComponent;
  readonly value: unknown;
  /** Its row, as {@linkcode timesOf} takes it. */
  readonly row: number;
  /** Times, name and value as bytes, which the next value overwrites. */
  readonly bytes: Uint8Array;
}

/**
 * All values of a chunk, row by row; rows without any have none.
 *
 * Row ids are left out: they, like the ids of chunks, only tell which program wrote a row.
 *
 * @param chunk any chunk
 * @param ignored timelines that are left out
 * @throws {InvalidMessage} if the data is damaged
 */
export function* loggedValues(
  chunk: Chunk,
  ignored: ReadonlySet<string>,
): Generator<LoggedValue> {
  const timelines = ordered(chunk.timelines, ignored);
  const { components, rowCount, isStatic } = chunk;
  const out = new Canonical();
  for (let row = 0; row < rowCount; row++) {
    out.cut(0);
    out.add(isStatic);
    for (const { name, type, times, validity } of timelines) {
      if (validity?.[row] !== 0) out.add([name, type, times[row]!]);
    }
    const front = out.length;
    for (const component of components) {
      const sent = component.at(row);
      if (sent === undefined) continue;
      const value = namesViews(component) ? withViewPaths(sent) : sent;
      out.cut(front);
      out.add([component.name, component.component]);
      out.add(value);
      yield { component, value, row, bytes: out.bytes() };
    }
  }
}

/** Whether a component of a blueprint says where views are. */
function namesViews({ name }: ChunkComponent): boolean {
  return name === "ContainerBlueprint:contents" || name === "ContainerBlueprint:active_tab";
}

/** Such values by today's names of views. */
function withViewPaths(value: unknown): unknown {
  if (typeof value === "string") return todaysViewPath(value);
  return Array.isArray(value) ? value.map(withViewPaths) : value;
}

/** When a row was logged, by timeline. */
export function timesOf(
  chunk: Chunk,
  row: number,
  ignored: ReadonlySet<string>,
): ReadonlyMap<string, bigint> {
  return new Map(
    ordered(chunk.timelines, ignored)
      .filter(({ validity }) => validity?.[row] !== 0)
      .map(({ name, times }) => [name, times[row]!]),
  );
}

/** Timelines in one order, for files have them in any. */
function ordered(timelines: readonly ChunkTimes[], ignored: ReadonlySet<string>): ChunkTimes[] {
  const key = ({ name, type }: ChunkTimes) => `${name}\0${type}`;
  return timelines.filter(({ name }) => !ignored.has(name))
    .sort((a, b) => key(a) < key(b) ? -1 : 1);
}

const TEXT = new TextEncoder();

/** Writes values one after another, each behind its type and its length. */
class Canonical {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  length = 0;

  /** Keeps only the first so many bytes. */
  cut(length: number): void {
    this.length = length;
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  add(value: unknown): void {
    if (Array.isArray(value)) {
      this.#head("[", value.length);
      for (const each of value) this.add(each);
    } else if (ArrayBuffer.isView(value)) {
      const { buffer, byteOffset, byteLength } = value;
      this.#text("#", value.constructor.name);
      this.#raw("=", new Uint8Array(buffer, byteOffset, byteLength));
    } else if (typeof value === "object" && value !== null) {
      const fields = Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1);
      this.#head("{", fields.length);
      for (const [name, field] of fields) {
        this.#text("'", name);
        this.add(field);
      }
    } else if (typeof value === "string") this.#text('"', value);
    else if (typeof value === "number") {
      this.#head("n", 8);
      this.#reserve(8);
      this.#view.setFloat64(this.length, value);
      this.length += 8;
    } else this.#text(typeof value, String(value));
  }

  #text(type: string, text: string): void {
    this.#raw(type, TEXT.encode(text));
  }

  #raw(type: string, bytes: Uint8Array): void {
    this.#head(type, bytes.length);
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  #head(type: string, length: number): void {
    this.#reserve(5);
    this.#bytes[this.length++] = type.charCodeAt(0);
    this.#view.setUint32(this.length, length);
    this.length += 4;
  }

  #reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.bytes());
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
