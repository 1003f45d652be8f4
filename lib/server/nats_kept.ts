/**
 * What an earlier run kept beyond its note: as many messages of each recording are left out as they come
 * again.
 *
 * @module
 */
import type { LogMsg } from "../encoding/log_msg.ts";
import { storeOf } from "../encoding/store_of.ts";

/** Counts down how many messages of each recording have still to come again. */
export class NatsKept {
  readonly #left: Map<string, number>;

  /** @param counts of each recording */
  constructor(counts: ReadonlyMap<string, number>) {
    this.#left = new Map(counts);
  }

  /** Whether nothing has to come again. */
  get isEmpty(): boolean {
    return this.#left.size === 0;
  }

  /** Whether an earlier run had kept a message without noting so; to be asked once. */
  take(msg: LogMsg): boolean {
    if (this.isEmpty) return false;
    const store = storeOf(msg);
    // Blueprints are in the files of several recordings, and keeping one twice changes nothing.
    if (store?.kind !== "Recording") return false;
    const left = this.#left.get(store.id);
    if (left === undefined) return false;
    if (left > 1) this.#left.set(store.id, left - 1);
    else this.#left.delete(store.id);
    return true;
  }

  /** Adds what is left to other counts. */
  addTo(counts: Map<string, number>): void {
    for (const [recording, left] of this.#left) {
      counts.set(recording, (counts.get(recording) ?? 0) + left);
    }
  }

  /** Forgets what is left: it does not come again. */
  clear(): void {
    this.#left.clear();
  }
}
