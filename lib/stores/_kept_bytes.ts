/**
 * Bounds the messages that are kept for the beginning of later files: the oldest are forgotten
 * first.
 *
 * @module
 */
import type { Kept } from "./kept.ts";

/** Bytes that the objects around a kept message take, estimated. */
const KEPT_OVERHEAD_BYTES = 512;
/** From this limit on, in bytes, some more are forgotten at once than must be. */
const MANY_BYTES = 2 ** 20;

/** Counts the bytes of kept messages, and forgets the oldest where they are too many. */
export class KeptBytes {
  /** Messages that were forgotten for want of room. */
  forgotten = 0;
  /** The oldest first, each with the function that removes it from where it is kept. */
  readonly #order = new Map<Kept, () => void>();
  #bytes = 0;

  /** @param maxBytes what the messages may take, the objects around them included */
  constructor(readonly maxBytes: number) {}

  /** Whether a message of this length is ever kept; one that is too long counts as forgotten. */
  takes(bytes: number): boolean {
    if (bytes <= this.maxBytes) return true;
    this.forgotten++;
    return false;
  }

  /**
   * Keeps a message, the newest.
   *
   * @param kept the message
   * @param forget called when it has to give way
   */
  add(kept: Kept, forget: () => void): void {
    this.#order.set(kept, forget);
    this.#bytes += cost(kept);
    if (this.#bytes <= this.maxBytes) return;
    // Some more than must be: finding the oldest entry of a map takes longer the more were deleted
    // before it.
    const enough = this.maxBytes - (this.maxBytes >= MANY_BYTES ? this.maxBytes / 16 : 0);
    for (const [oldest, forget] of this.#order) {
      if (this.#bytes <= enough) break;
      this.remove(oldest);
      forget();
      this.forgotten++;
    }
  }

  /** Counts a message no longer. */
  remove(kept: Kept): void {
    if (this.#order.delete(kept)) this.#bytes -= cost(kept);
  }
}

/** What a kept message takes with the objects around it, in bytes. */
function cost({ bytes }: Kept): number {
  return bytes.length + KEPT_OVERHEAD_BYTES;
}
