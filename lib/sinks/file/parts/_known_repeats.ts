/**
 * Which messages of earlier runs' files are repeated from still earlier ones, as the index says.
 *
 * @module
 */
import type { RepeatsLine } from "./_index_line.ts";
import { Ranges } from "./_ranges.ts";

/** Remembers which messages of files are repeated from earlier files. */
export class KnownRepeats {
  readonly #files = new Map<string, Ranges>();

  /** Takes a line of the index. */
  take({ id, at, count }: RepeatsLine): void {
    const ranges = this.#files.get(id) ?? new Ranges();
    this.#files.set(id, ranges);
    ranges.add(at, count);
  }

  /** The repeated messages of a file. */
  of(id: string): Ranges | undefined {
    return this.#files.get(id);
  }

  /** Forgets a file. */
  delete(id: string): void {
    this.#files.delete(id);
  }

  /** All of this as lines of the index. */
  get lines(): RepeatsLine[] {
    return [...this.#files].flatMap(([id, { runs }]) =>
      runs.map(([at, count]) => ({ kind: "repeats", id, at, count }) as const)
    );
  }
}
