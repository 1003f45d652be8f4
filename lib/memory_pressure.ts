/** Bytes that are read from one collection to the next while much waits: at most so many. */
const MAX_INTERVAL_BYTES = 24 * 1024 * 1024;

/** Below this part of the limit there is room enough for what the runtime has not collected yet. */
const CALM = 1 / 4;

/** Garbage of packets that never came whole, from one collection to the next, in bytes. */
const MAX_LEFT_BYTES = 8 * 1024 * 1024;

/** Reads after which a collection is worth its time, once it is quiet. */
const MIN_READS = 1000;

/** Looks without a read after which it is quiet. */
const QUIET_LOOKS = 4;

/**
 * Asks for a garbage collection now and then while many messages wait, and once it is quiet.
 *
 * Runtimes let garbage grow with what is alive: with 256 MiB waiting, Deno's process had 500 MB and
 * Bun's 870 MB. What waits is bounded by the user's limit, and so should be what is dead. And when
 * all is over Deno would keep its garbage until something happens again: 40 MB after 5,000 clients.
 */
export class MemoryPressure {
  #bytes = 0;
  /** Much has waited since the last collection: once received it is dead, and still there. */
  #due = false;
  /** Since it was collected because it was quiet. */
  #reads = 0;
  #readsAtLook = 0;
  #quietLooks = 0;
  #leftBytes = 0;

  /**
   * @param collect collects the garbage
   * @param waiting what waits, and its limit, in bytes
   * @param spare memory that is let go of before
   */
  constructor(
    readonly collect: () => void,
    readonly waiting: { readonly bytes: number; readonly limitBytes: number },
    readonly spare?: { clear(): void } | undefined,
  ) {}

  /** Takes note of bytes that were read. */
  read(bytes: number): void {
    this.#reads++;
    const isCalm = this.waiting.bytes < this.waiting.limitBytes * CALM;
    if (!isCalm) this.#due = true;
    if (!this.#due) return;
    this.#bytes += bytes;
    if (this.#bytes < Math.min(this.waiting.limitBytes / 4, MAX_INTERVAL_BYTES)) return;
    this.#bytes = 0;
    this.#due = !isCalm;
    this.collect();
  }

  /**
   * Takes note of a packet that will never be whole: runtimes find large dead buffers late, and
   * peers could make them faster than they are found.
   *
   * @param bytes of memory taken for it
   */
  left(bytes: number): void {
    // With the smaller buffers that it outgrew.
    this.#leftBytes += 2 * bytes;
    if (this.#leftBytes < MAX_LEFT_BYTES) return;
    this.#leftBytes = 0;
    this.collect();
  }

  /** To be called now and then. */
  look(): void {
    const isQuiet = this.#reads === this.#readsAtLook && this.waiting.bytes === 0;
    this.#readsAtLook = this.#reads;
    this.#quietLooks = isQuiet ? this.#quietLooks + 1 : 0;
    if (this.#reads < MIN_READS || this.#quietLooks < QUIET_LOOKS) return;
    this.#reads = this.#readsAtLook = 0;
    this.spare?.clear();
    this.collect();
  }
}
