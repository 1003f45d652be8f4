/**
 * Remembers which chunks came lately, in memory that does not grow.
 *
 * @module
 */
import { xxh32 } from "../encoding/rrd/xxh32.ts";
import type { ArrowMsg } from "../encoding/arrow_msg.ts";

/** How many chunks share one place in the table. */
const WAYS = 8;
const PLACES = 2 ** 15;

/**
 * Remembers the ids of about the last 260,000 chunks, in 4 MiB that are taken with the first one.
 * That is enough, for what is sent twice after a link broke comes again soon.
 */
export class RecentChunks {
  #ids: BigUint64Array | undefined;
  #next: Uint8Array | undefined;

  /**
   * Whether a chunk came before, and takes note that it came now.
   *
   * @param msg any chunk; one without an id is always new
   */
  has({ chunkId, storeId }: ArrowMsg): boolean {
    if (chunkId === undefined) return false;
    const ids = this.#ids ??= new BigUint64Array(2 * WAYS * PLACES);
    const next = this.#next ??= new Uint8Array(PLACES);
    // One chunk may be logged to several recordings.
    const store = BigInt(xxh32(new TextEncoder().encode(`${storeId.kind} ${storeId.id}`), 0));
    const [high, low] = [chunkId.timeNs ^ (store << 32n), chunkId.inc ^ store];
    const place = Number((high ^ (high >> 17n) ^ low ^ (low >> 29n)) & BigInt(PLACES - 1));
    const at = 2 * WAYS * place;
    for (let way = 0; way < WAYS; way++) {
      if (ids[at + 2 * way] === high && ids[at + 2 * way + 1] === low) return true;
    }
    const way = next[place]!;
    next[place] = (way + 1) % WAYS;
    ids[at + 2 * way] = high;
    ids[at + 2 * way + 1] = low;
    return false;
  }

  /** Forgets all chunks, because some of them may not be kept and are to be taken again. */
  clear(): void {
    this.#ids?.fill(0n);
  }
}
