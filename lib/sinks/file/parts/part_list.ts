/**
 * Which closed files are too many.
 *
 * @module
 */
import { forgetOldest } from "../../../base/forget_oldest.ts";

/** How much of a pattern's closed files is kept; those without data go first, then the oldest. */
export interface Keep {
  /** So many files. */
  readonly files?: number;
  /** So many bytes; one file stays in any case. */
  readonly bytes?: number;
}

/** Files that are listed: peers may name recordings, and so files, without end. Older ones stay. */
const MAX_FILES = 200_000;

interface Listed {
  readonly bytes: number;
  readonly hasData: boolean;
}

/** Closed files, the oldest first. */
export class PartList {
  readonly #files = new Map<string, Listed>();
  #bytes = 0;

  /** @param keep how much */
  constructor(readonly keep: Keep) {}

  /** All of them. */
  get files(): ({ readonly name: string } & Listed)[] {
    return [...this.#files].map(([name, file]) => ({ name, ...file }));
  }

  /** Adds the newest. */
  add(name: string, bytes: number, hasData = true): void {
    this.remove(name);
    this.#files.set(name, { bytes, hasData });
    this.#bytes += bytes;
    for (const [, gone] of forgetOldest(this.#files, MAX_FILES)) this.#bytes -= gone.bytes;
  }

  /** Takes one out. */
  remove(name: string): void {
    this.#bytes -= this.#files.get(name)?.bytes ?? 0;
    this.#files.delete(name);
  }

  /** Takes out those that are too many, and tells their names: those without data first. */
  takeOldest(): string[] {
    if (!this.#isOver) return [];
    const taken: string[] = [];
    for (const mayHaveData of [false, true]) {
      for (const [name, { hasData }] of this.#files) {
        if (!this.#isOver) return taken;
        if (hasData && !mayHaveData) continue;
        this.remove(name);
        taken.push(name);
      }
    }
    return taken;
  }

  get #isOver(): boolean {
    const { files = Infinity, bytes = Infinity } = this.keep;
    return this.#files.size > 1 && (this.#files.size > files || this.#bytes > bytes);
  }
}
