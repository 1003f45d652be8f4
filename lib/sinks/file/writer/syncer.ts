/**
 * Decides when what was written must be on the disk.
 *
 * @module
 */

/** See `sync` of the file sink's options. */
export type SyncMode = "never" | "interval" | "always";

/** From one sync to the next; with the time that one takes, well below the promised 500 ms. */
const INTERVAL_MS = 200;

/** Syncs at most once at a time. */
export class Syncer {
  #cancel: (() => void) | undefined;
  #running = false;
  #again = false;
  #stopped = false;
  /** How long the last one took, in milliseconds: so much earlier begins the next. */
  #took = 0;

  /**
   * @param mode when
   * @param timer calls back after so many milliseconds
   * @param now monotonic milliseconds
   * @param sync never rejects
   */
  constructor(
    readonly mode: SyncMode,
    readonly timer: (ms: number, callback: () => void) => () => void,
    readonly now: () => number,
    readonly sync: () => Promise<void>,
  ) {}

  /** Notes that something was written. */
  written(): void {
    if (this.mode !== "interval" || this.#cancel !== undefined || this.#stopped) return;
    if (this.#running) this.#again = true;
    else {
      const wait = Math.max(0, INTERVAL_MS - this.#took);
      this.#cancel = this.timer(wait, () => void this.#run());
    }
  }

  /** Calls off what has not begun. */
  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  async #run(): Promise<void> {
    this.#cancel = undefined;
    this.#running = true;
    const start = this.now();
    await this.sync();
    this.#took = this.now() - start;
    this.#running = false;
    if (!this.#again) return;
    this.#again = false;
    this.written();
  }
}
