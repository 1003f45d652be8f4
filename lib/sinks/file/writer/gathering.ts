/**
 * Decides when small messages are written that came for many files: a write of a few hundred bytes
 * costs a processor as much as one of many messages.
 *
 * @module
 */
import type { Clock } from "../../../base/clock.ts";
import type { SyncedFiles } from "./syncer.ts";
import { WHOLE_BYTES, type WriteBudget } from "./write_budget.ts";

/** How long messages may wait for others of their file, in milliseconds: until the next sync. */
const MAX_MS = 300;
/** So many files may be written to at a time without waiting. */
const FEW_FILES = 16;
/** A file may be written to once in so many milliseconds, over all files together. */
const MS_PER_WRITE = 1;

/** Files that are written to. */
export interface GatheredFiles {
  /** How many of them are open. */
  readonly open: number;
  /**
   * Begins to write what waits for those files that have at least so many bytes to write.
   *
   * @returns how many files those are
   */
  flush(minBytes?: number): number;
}

/**
 * Has few files written to at once. Where there are many, and messages come so often that there
 * would be more than a thousand writes a second, all wait, so that each write takes more of them: for
 * up to 150 ms, or, if that is too little, until all files are synced, which is every 300 ms. Each file
 * is then written to once for each sync.
 */
export class Gathering {
  readonly #now: Clock["now"];
  readonly #timer: Clock["timer"];
  readonly #budget: WriteBudget;
  readonly #files: GatheredFiles;
  /** Milliseconds that the writes so far should still take. */
  #debtMs = 0;
  /** When that was so. */
  #since: number;
  #callOff: (() => void) | undefined;
  #isStopped = false;

  /**
   * @param clock monotonic milliseconds, and what calls back after so many
   * @param budget is told how long messages wait on purpose
   * @param files that are written to
   */
  constructor(
    { now, timer }: Pick<Clock, "now" | "timer">,
    budget: WriteBudget,
    files: GatheredFiles,
  ) {
    this.#now = now;
    this.#timer = timer;
    this.#budget = budget;
    this.#files = files;
    this.#since = now();
  }

  /** To be called when files were given something: writes it now, or has it written soon. */
  watch(): void {
    if (this.#callOff === undefined) {
      const dueMs = Math.min(MAX_MS, this.#files.open, this.#pay(0));
      const waitMs = dueMs > MAX_MS / 2 ? MAX_MS : dueMs;
      const isSoon = waitMs <= FEW_FILES || this.#isStopped;
      this.#budget.gatherMs = isSoon ? 0 : waitMs;
      if (isSoon) return this.flush();
      this.#callOff = this.#timer(waitMs, () => this.flush());
    }
    // Much of one file need not wait for little of others.
    if (!this.#budget.hasWhole) return;
    this.#budget.hasWhole = false;
    this.#pay(this.#files.flush(WHOLE_BYTES));
  }

  /** Begins to write all that waits. */
  flush(): void {
    this.#callOff?.();
    this.#callOff = undefined;
    this.#pay(this.#files.flush());
  }

  /** The files, as they are synced: all that waits is written before. */
  synced(files: SyncedFiles): SyncedFiles {
    const gatherMs = () => this.#budget.gatherMs;
    return {
      get isSynced() {
        return files.isSynced;
      },
      get gatherMs() {
        return gatherMs();
      },
      sync: () => {
        this.flush();
        return files.sync();
      },
    };
  }

  /** From now on nothing waits. */
  stop(): void {
    this.#isStopped = true;
    this.flush();
  }

  /** Takes note of writes; returns for how many milliseconds the next ones should wait. */
  #pay(writes: number): number {
    const now = this.#now();
    const left = Math.max(0, this.#debtMs - (now - this.#since));
    this.#since = now;
    return this.#debtMs = Math.min(MAX_MS, left + writes * MS_PER_WRITE);
  }
}
