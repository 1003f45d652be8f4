/**
 * Which closed files are too many.
 *
 * @module
 */
import { forgetOldest } from "../../../base/forget_oldest.ts";

/** How much of a pattern's closed files is kept. */
export interface Keep {
  /** So many files. */
  readonly files?: number;
  /** So many bytes; the newest file stays in any case. */
  readonly bytes?: number;
}

/** Files that are listed: peers may name recordings, and so files, without end. Older ones stay. */
const MAX_FILES = 200_000;

/** Closed files, the oldest first. */
export class PartList {
  readonly #sizes = new Map<string, number>();
  #bytes = 0;

  /** @param keep how much */
  constructor(readonly keep: Keep) {}

  /** All of them. */
  get files(): { readonly name: string; readonly bytes: number }[] {
    return [...this.#sizes].map(([name, bytes]) => ({ name, bytes }));
  }

  /** Adds the newest. */
  add(name: string, bytes: number): void {
    this.remove(name);
    this.#sizes.set(name, bytes);
    this.#bytes += bytes;
    for (const [, size] of forgetOldest(this.#sizes, MAX_FILES)) this.#bytes -= size;
  }

  /** Takes one out. */
  remove(name: string): void {
    this.#bytes -= this.#sizes.get(name) ?? 0;
    this.#sizes.delete(name);
  }

  /** Takes out those that are too many, and tells their names. */
  takeOldest(): string[] {
    const { files = Infinity, bytes = Infinity } = this.keep;
    const taken: string[] = [];
    for (const name of this.#sizes.keys()) {
      if (this.#sizes.size <= 1 || (this.#sizes.size <= files && this.#bytes <= bytes)) break;
      this.remove(name);
      taken.push(name);
    }
    return taken;
  }
}
