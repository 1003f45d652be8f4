/**
 * Keeps one file's line in the index up to date, from before the file is made until it has its
 * name.
 *
 * @module
 */
import { FileHash } from "./_file_hash.ts";
import type { FileLine } from "./_index_line.ts";
import type { PartIndex } from "./part_index.ts";

/** What is known of a file once it is whole. */
export type PartFacts =
  & Required<Pick<FileLine, "bytes" | "hasData" | "sdk" | "messages" | "footer">>
  & Pick<FileLine, "plain">;

/** Notes in the index what becomes of one file. */
export class NotedPart {
  readonly #index: PartIndex;
  /** Hash of all that was written. */
  readonly #hash = new FileHash();
  #line: FileLine;
  #introduction = 0;
  #firstAt: number | undefined;
  #lastAt: number | undefined;

  private constructor(index: PartIndex, line: FileLine) {
    this.#index = index;
    this.#line = line;
  }

  /**
   * Notes a file that is to be made.
   *
   * @param index takes the line, which is on the disk when this resolves
   * @param id of the file, random
   * @param name without its folder
   * @param group names the series that the file belongs to
   */
  static async begin(
    index: PartIndex,
    id: string,
    name: string,
    group: string,
  ): Promise<NotedPart> {
    const line: FileLine = {
      ...{ kind: "file", id, name, group, state: "writing" },
      ...{ bytes: 0, hasData: false, footer: "none", forwarded: 0, ...index.owner },
    };
    await index.begin(line);
    return new NotedPart(index, line);
  }

  /** Takes note of a recording that the file holds, before it is closed. */
  holds(application: string, recording: string): void {
    const { recordings = 0 } = this.#line;
    const first = recordings === 0 ? { application, recording } : {};
    this.#line = { ...this.#line, ...first, recordings: recordings + 1 };
    this.#index.show(this.#line);
  }

  /**
   * Notes, before they are written, which of the next messages are repeated from earlier files.
   *
   * @param before how many messages of any kind are before them
   * @param repeats indices of the repeated ones, from 0 on; empty: what was noted for places behind
   * `before` was not written
   */
  async repeatsAt(before: number, repeats: readonly number[]): Promise<void> {
    const { id } = this.#line;
    this.#introduction += repeats.length;
    await this.#index.repeats(id, rangesOf(repeats).map(([at, count]) => [before + at, count]));
  }

  /** Says up to where the file may be read, in bytes, and how long messages were gathered, in milliseconds. */
  reached(size: number, gatheredMs: number): void {
    this.#index.journal?.reached(this.#line.id, size, gatheredMs);
  }

  /** Says that no more is written to it. */
  ended(): void {
    this.#index.journal?.ended(this.#line.id);
  }

  /** Takes note of what was written; `at` milliseconds since the Unix epoch, if there are messages in it. */
  wrote(bytes: Uint8Array, at?: number): void {
    this.#hash.update(bytes);
    this.#index.journal?.wrote(this.#line.id, bytes);
    this.#firstAt ??= at;
    this.#lastAt = at ?? this.#lastAt;
  }

  /** When the first and the last message so far were written. */
  get times(): Pick<FileLine, "firstAt" | "lastAt"> {
    return {
      ...(this.#firstAt === undefined ? {} : { firstAt: this.#firstAt }),
      ...(this.#lastAt === undefined ? {} : { lastAt: this.#lastAt }),
    };
  }

  /**
   * Notes, before the file gets its name, that it is whole.
   *
   * @param facts what is in it
   * @param isCut whether some of what was written was cut off
   */
  async closing(facts: PartFacts, isCut: boolean): Promise<void> {
    this.#line = {
      ...this.#line,
      ...facts,
      state: "closing",
      introduction: this.#introduction,
      ...this.times,
      ...(isCut ? {} : { hash: this.#hash.text }),
    };
    await this.#index.note(this.#line);
  }

  /** What is known of the file. */
  get line(): FileLine {
    return this.#line;
  }

  /** Notes that the file has its name; gives the names of surplus files that were removed. */
  async closed(): Promise<readonly string[]> {
    this.#line = { ...this.#line, state: "closed" };
    return await this.#index.closed(this.#line);
  }

  /** Notes that there is no such file. */
  async dropped(): Promise<void> {
    await this.#index.drop(this.#line);
  }
}

/** Turns numbers into runs of neighbours; no numbers become one empty run at 0. */
function rangesOf(numbers: readonly number[]): [at: number, count: number][] {
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last !== undefined && last[0] + last[1] === number) last[1]++;
    else ranges.push([number, 1]);
  }
  return ranges.length === 0 ? [[0, 0]] : ranges;
}
