/**
 * What files of earlier runs begin recordings with, as the index says.
 *
 * @module
 */
import type { RepeatsLine } from "./_index_line.ts";
import { Ranges } from "./_ranges.ts";

/** Which messages of files stand in earlier files, too. */
export class KnownRepeats {
  readonly #files = new Map<string, Ranges>();

  /** Takes a line of the index. */
  take({ id, at, count }: RepeatsLine): void {
    const ranges = this.#files.get(id) ?? new Ranges();
    this.#files.set(id, ranges);
    ranges.add(at, count);
  }

  /** Those of a file. */
  of(id: string): Ranges | undefined {
    return this.#files.get(id);
  }

  /** A file is not there any more. */
  delete(id: string): void {
    this.#files.delete(id);
  }

  /** Lines that say the same. */
  get lines(): RepeatsLine[] {
    return [...this.#files].flatMap(([id, { runs }]) =>
      runs.map(([at, count]) => ({ kind: "repeats", id, at, count }) as const)
    );
  }
}
