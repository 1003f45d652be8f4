/**
 * Decides when what was written must be on the disk.
 *
 * @module
 */

/** See `sync` of the file sink's options. */
export type SyncMode = "never" | "interval" | "always";

/** From a write to the next sync; with the time that takes, well below the promised 500 ms. */
const INTERVAL_MS = 200;

/** Syncs at most once at a time. */
export class Syncer {
  #cancel: (() => void) | undefined;
  #running = false;
  #again = false;
  #stopped = false;

  /**
   * @param mode when
   * @param timer calls back after so many milliseconds
   * @param sync never rejects
   */
  constructor(
    readonly mode: SyncMode,
    readonly timer: (ms: number, callback: () => void) => () => void,
    readonly sync: () => Promise<void>,
  ) {}

  /** Notes that something was written. */
  async written(): Promise<void> {
    if (this.mode === "always") await this.sync();
    if (this.mode !== "interval" || this.#cancel !== undefined || this.#stopped) return;
    if (this.#running) this.#again = true;
    else this.#cancel = this.timer(INTERVAL_MS, () => void this.#run());
  }

  /** Calls off what has not begun. */
  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  async #run(): Promise<void> {
    this.#cancel = undefined;
    this.#running = true;
    await this.sync();
    this.#running = false;
    if (!this.#again) return;
    this.#again = false;
    await this.written();
  }
}
