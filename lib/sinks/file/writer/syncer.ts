/**
 * Decides when what was written must be on the disk.
 *
 * @module
 */
import type { Clock } from "../../../base/clock.ts";

/** See `sync` of the file sink's options. */
export type SyncMode = "never" | "interval" | "always";

/**
 * Milliseconds from one sync to the next, more only where messages for many files are gathered; with
 * the time that a sync takes, well below the promised 500 ms.
 */
const INTERVAL_MS = 200;
/** Where messages are gathered for longer, in milliseconds: with a sync it stays below 500 ms, too. */
const MAX_INTERVAL_MS = 300;

/** In so many milliseconds what was received is on the disk, as long as this keeps up. */
const PROMISED_MS = 500;
/** So many syncs in a row must take longer before that is told: a disk may pause now and then. */
const SLOW_SYNCS = 3;

/** Files that are synced together. */
export interface SyncedFiles {
  /** Whether all that they were given is on the disk. */
  readonly isSynced: boolean;
  /** How long what they are given waits to be written, in milliseconds; 0 if left out. */
  readonly gatherMs?: number;
  /** Puts what was written on the disk. Never rejects. */
  sync(): Promise<void>;
}

/** Looks at files every 200 to 300 ms for as long as the disk lacks something of them; syncs once at a time. */
export class Syncer {
  readonly #files: SyncedFiles;
  #cancel: (() => void) | undefined;
  #isRunning = false;
  #isStopped = false;
  /** How long the last sync took, in milliseconds; the next one begins so much earlier. */
  #tookMs = 0;
  /** How many syncs in a row took longer than is promised. */
  #slow = 0;
  readonly #onSlow: (tookMs: number) => void;

  /**
   * @param mode when to sync; only `"interval"` is done here
   * @param timer calls back after so many milliseconds
   * @param now monotonic milliseconds
   * @param files the files to sync
   * @param onSlow called once, when the disk does not keep up, with how long a sync takes
   */
  constructor(
    readonly mode: SyncMode,
    readonly timer: Clock["timer"],
    readonly now: Clock["now"],
    files: SyncedFiles,
    onSlow: (tookMs: number) => void = () => {},
  ) {
    this.#files = files;
    this.#onSlow = onSlow;
  }

  /** Begins to look at the files, if it does not already; to be called whenever they were given something. */
  watch(): void {
    if (this.mode !== "interval" || this.#cancel !== undefined) return;
    if (this.#isRunning || this.#isStopped || this.#files.isSynced) return;
    // With each sync goes what was gathered by then, so that no write comes shortly before it.
    const { gatherMs = 0 } = this.#files;
    const intervalMs = Math.max(INTERVAL_MS, Math.min(2 * gatherMs, MAX_INTERVAL_MS));
    const waitMs = Math.max(0, intervalMs - this.#tookMs);
    this.#cancel = this.timer(waitMs, () => void this.#run());
  }

  /** Calls off what has not begun. */
  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
  }

  async #run(): Promise<void> {
    this.#cancel = undefined;
    this.#isRunning = true;
    const start = this.now();
    await this.#files.sync();
    this.#tookMs = this.now() - start;
    this.#isRunning = false;
    // Told once: it goes on counting beyond.
    this.#slow = this.#tookMs > PROMISED_MS || this.#slow >= SLOW_SYNCS ? this.#slow + 1 : 0;
    if (this.#slow === SLOW_SYNCS) this.#onSlow(this.#tookMs);
    this.watch();
  }
}
