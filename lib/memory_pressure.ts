/** Bytes that are read from one collection to the next while much waits: at most so many. */
const MAX_INTERVAL_BYTES = 24 * 1024 * 1024;

/** Below this part of the limit there is room enough for what the runtime has not collected yet. */
const CALM = 1 / 4;

/**
 * Asks for a garbage collection now and then while many messages wait.
 *
 * Runtimes let garbage grow with what is alive: with 256 MiB waiting, Deno's process had 500 MB and
 * Bun's 870 MB. What waits is bounded by the user's limit, and so should be what is dead.
 */
export class MemoryPressure {
  #bytes = 0;
  /** Much has waited since the last collection: once received it is dead, and still there. */
  #due = false;

  /**
   * @param collect collects the garbage
   * @param waiting what waits, and its limit, in bytes
   */
  constructor(
    readonly collect: () => void,
    readonly waiting: { readonly bytes: number; readonly limitBytes: number },
  ) {}

  /** Takes note of bytes that were read. */
  read(bytes: number): void {
    const isCalm = this.waiting.bytes < this.waiting.limitBytes * CALM;
    if (!isCalm) this.#due = true;
    if (!this.#due) return;
    this.#bytes += bytes;
    if (this.#bytes < Math.min(this.waiting.limitBytes / 4, MAX_INTERVAL_BYTES)) return;
    this.#bytes = 0;
    this.#due = !isCalm;
    this.collect();
  }
}
