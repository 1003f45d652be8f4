/**
 * What an index says of its files, kept in memory for those who list them while they are written.
 *
 * @module
 */
import { forgetOldest } from "../../../base/forget_oldest.ts";
import type { FileLine } from "./_index_line.ts";

/** How many files are listed: peers may begin recordings, and so files, without end. */
const MAX_FILES = 50_000;

/** The files of one pattern, in the order in which they were begun. */
export class PartCatalog {
  /** Lines by name, which at any time only one file has. */
  readonly #lines = new Map<string, FileLine>();
  readonly #busy = new Set<string>();

  /** What is known of each file. */
  get lines(): Iterable<FileLine> {
    return this.#lines.values();
  }

  /** What is known of a file. */
  get(name: string): FileLine | undefined {
    return this.#lines.get(name);
  }

  /** Whether a file is being recovered, or rewritten with a list of its chunks. */
  isBusy(name: string): boolean {
    return this.#busy.has(name);
  }

  /** Replaces what is known of a file. */
  set(line: FileLine): void {
    if (line.was !== undefined && this.#lines.get(line.was)?.id === line.id) this.remove(line.was);
    this.#lines.set(line.name, line);
    if (line.state === "closed" && !line.isRenewed) this.#busy.delete(line.name);
    for (const [name] of forgetOldest(this.#lines, MAX_FILES, ({ state }) => state === "closed")) {
      this.#busy.delete(name);
    }
  }

  /** Takes out closed files that somebody removed. */
  forgetMissing(there: ReadonlySet<string>): void {
    for (const { name, state } of this.#lines.values()) {
      if (state === "closed" && !there.has(name) && !this.#busy.has(name)) this.remove(name);
    }
  }

  /** Marks a file as busy. */
  hold(name: string): void {
    this.#busy.add(name);
  }

  /** Marks a file as not busy. */
  release(name: string): void {
    this.#busy.delete(name);
  }

  /** Takes out a file that was removed. */
  remove(name: string): void {
    this.#lines.delete(name);
    this.#busy.delete(name);
  }
}
