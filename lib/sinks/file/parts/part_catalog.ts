/**
 * What an index says of its files, in memory, for whoever lists them while they are written.
 *
 * @module
 */
import { forgetOldest } from "../../../base/forget_oldest.ts";
import type { FileLine } from "./_index_line.ts";

/** Files that are listed: peers may name recordings, and so files, without end. */
const MAX_FILES = 50_000;

/** The files of one pattern, the last begun last. */
export class PartCatalog {
  /** By name: at any time, one file has it. */
  readonly #lines = new Map<string, FileLine>();
  readonly #busy = new Set<string>();

  /** What is known of each. */
  get lines(): Iterable<FileLine> {
    return this.#lines.values();
  }

  /** What is known of one. */
  get(name: string): FileLine | undefined {
    return this.#lines.get(name);
  }

  /** Whether it is being recovered, or written anew with a list of its chunks. */
  isBusy(name: string): boolean {
    return this.#busy.has(name);
  }

  /** Takes what is known of a file now. */
  set(line: FileLine): void {
    if (line.was !== undefined && this.#lines.get(line.was)?.id === line.id) this.remove(line.was);
    this.#lines.set(line.name, line);
    if (line.state === "closed" && !line.isRenewed) this.#busy.delete(line.name);
    for (const [name] of forgetOldest(this.#lines, MAX_FILES, ({ state }) => state === "closed")) {
      this.#busy.delete(name);
    }
  }

  /** Takes out closed files that somebody took away. */
  forgetMissing(there: ReadonlySet<string>): void {
    for (const { name, state } of this.#lines.values()) {
      if (state === "closed" && !there.has(name) && !this.#busy.has(name)) this.remove(name);
    }
  }

  /** Marks one that something is being done to. */
  hold(name: string): void {
    this.#busy.add(name);
  }

  /** Takes the mark away. */
  release(name: string): void {
    this.#busy.delete(name);
  }

  /** Takes out one that is there no more. */
  remove(name: string): void {
    this.#lines.delete(name);
    this.#busy.delete(name);
  }
}
