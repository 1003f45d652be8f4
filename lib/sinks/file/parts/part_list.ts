/**
 * Decides which closed files are surplus.
 *
 * @module
 */
import { forgetOldest } from "../../../base/forget_oldest.ts";
import type { FileLine } from "./_index_line.ts";

/** How much of a pattern's closed files is kept; those without data go first, then the oldest. */
export interface Keep {
  /** How many files are kept. */
  readonly files?: number;
  /** How many bytes are kept; the newest file stays in any case. */
  readonly bytes?: number;
  /**
   * What happens to files that are not forwarded yet: `"drop"`, the default, keeps them up to twice
   * `bytes`; `"keep"` never removes one, and may fill the disk.
   */
  readonly unforwarded?: "drop" | "keep";
}

/**
 * How many files are listed: peers may begin recordings, and so files, without end. Older files
 * stay on the disk.
 */
const MAX_FILES = 200_000;

/** What is known of a file. */
export interface Listed {
  /** Its length, with that of an original beside it. */
  readonly bytes: number;
  readonly hasData: boolean;
  /** Whether it is being recovered, so that it must stay for now. */
  readonly isBusy?: boolean;
}

/** What the index says of a file, as the list counts it. */
export function listed({ bytes, damaged = 0, hasData }: FileLine): Listed {
  return { bytes: bytes + damaged, hasData };
}

/**
 * Closed files in the order in which they were begun, which may not be that in which they were
 * closed.
 */
export class PartList {
  /** Files by name; `undefined` holds the place of one that is not closed yet. */
  readonly #files = new Map<string, Listed | undefined>();
  #closed = 0;
  #bytes = 0;
  /** Whether some files are not listed any more. */
  hasForgotten = false;

  /** @param keep how much is kept */
  constructor(readonly keep: Keep) {}

  /** Gives a file that is about to be written its place, as the newest. */
  begin(name: string): void {
    this.remove(name);
    this.#files.set(name, undefined);
  }

  /** Adds a file as the newest. */
  add(name: string, file: Listed): void {
    this.remove(name);
    this.update(name, file);
  }

  /** Notes what is known of a file now; it keeps its place, or becomes the newest. */
  update(name: string, file: Listed): void {
    const before = this.#files.get(name);
    if (before !== undefined) this.#uncount(before);
    this.#closed++;
    this.#bytes += file.bytes;
    this.#files.set(name, file);
    for (const [, gone] of forgetOldest(this.#files, MAX_FILES, (file) => file !== undefined)) {
      this.#uncount(gone!);
      this.hasForgotten = true;
    }
  }

  /** Takes a file out. */
  remove(name: string): void {
    const file = this.#files.get(name);
    if (file !== undefined) this.#uncount(file);
    this.#files.delete(name);
  }

  /** The names of closed files that are not being recovered. */
  get closed(): string[] {
    return [...this.#files].flatMap(([name, file]) =>
      file === undefined || file.isBusy ? [] : [name]
    );
  }

  /** A list of its own of those closed files that have these names, in their order. */
  only(names: ReadonlySet<string>): PartList {
    const list = new PartList(this.keep);
    for (const [name, file] of this.#files) {
      if (file !== undefined && names.has(name)) list.update(name, file);
    }
    return list;
  }

  /** Takes out a file, unless another one of its name is being written or recovered by now. */
  forgetClosed(name: string): void {
    const file = this.#files.get(name);
    if (file !== undefined && file.isBusy !== true) this.remove(name);
  }

  /**
   * Takes out surplus files, and gives their names: those without data come first.
   *
   * @param isHeld whether a file waits to be forwarded
   */
  takeOldest(isHeld: (name: string) => boolean = () => false): string[] {
    if (!this.isOver) return [];
    const taken: string[] = [];
    const newest = [...this.#files].findLast(([, file]) => file !== undefined)?.[0];
    for (const mayBeHeld of this.keep.unforwarded === "keep" ? [false] : [false, true]) {
      for (const mayHaveData of [false, true]) {
        for (const [name, file] of this.#files) {
          if (!this.isOver || (mayBeHeld && !this.#isFarOver)) return taken;
          if (file === undefined) continue;
          const { hasData, isBusy = false } = file;
          if (isBusy || (hasData && name === newest) || (hasData && !mayHaveData)) continue;
          if (!mayBeHeld && isHeld(name)) continue;
          this.remove(name);
          taken.push(name);
        }
      }
    }
    return taken;
  }

  /**
   * Whether so much is kept that even files are removed that wait to be forwarded: more than twice
   * the limit.
   */
  get #isFarOver(): boolean {
    const { files = Infinity, bytes = Infinity } = this.keep;
    if (this.#closed <= 1) return false;
    return bytes < Infinity ? this.#bytes > 2 * bytes : this.#closed > 2 * files;
  }

  /** Whether there are surplus files. */
  get isOver(): boolean {
    const { files = Infinity, bytes = Infinity } = this.keep;
    return this.#closed > 1 && (this.#closed > files || this.#bytes > bytes);
  }

  #uncount({ bytes }: Listed): void {
    this.#closed--;
    this.#bytes -= bytes;
  }
}
