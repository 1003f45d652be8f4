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

/** What is known of one. */
export interface Listed {
  /** Its length, with that of an original beside it. */
  readonly bytes: number;
  readonly hasData: boolean;
  /** Whether it is being recovered, and must stay for now. */
  readonly isBusy?: boolean;
}

/** Closed files, the oldest first. */
export class PartList {
  readonly #files = new Map<string, Listed>();
  #bytes = 0;
  /** Whether some are not listed any more. */
  hasForgotten = false;

  /** @param keep how much */
  constructor(readonly keep: Keep) {}

  /** Adds one as the newest. */
  add(name: string, file: Listed): void {
    this.remove(name);
    this.update(name, file);
  }

  /** Notes what is known of one now; it keeps its place, or is the newest. */
  update(name: string, file: Listed): void {
    this.#bytes += file.bytes - (this.#files.get(name)?.bytes ?? 0);
    this.#files.set(name, file);
    for (const [, gone] of forgetOldest(this.#files, MAX_FILES)) {
      this.#bytes -= gone.bytes;
      this.hasForgotten = true;
    }
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
    const newest = [...this.#files.keys()].at(-1);
    for (const mayHaveData of [false, true]) {
      for (const [name, { hasData, isBusy = false }] of this.#files) {
        if (!this.#isOver) return taken;
        if (isBusy || (hasData && name === newest) || (hasData && !mayHaveData)) continue;
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
