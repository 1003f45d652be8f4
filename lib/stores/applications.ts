/**
 * Which application each recording and blueprint is of.
 *
 * @module
 */
import { shortened } from "../base/escape.ts";
import { forgetOldest } from "../base/forget_oldest.ts";
import type { LogMsg } from "../encoding/log_msg.ts";
import type { StoreId } from "../encoding/message_parts.ts";
import { storeKey } from "../encoding/store_of.ts";

/** How many stores are remembered; the one announced longest ago is forgotten first. */
const MAX_STORES = 10_000;
/** Characters that are kept of a name; peers choose names as long as they like. */
const MAX_NAME = 1024;

/** Remembers what announcements said, which SDKs do not repeat when they connect again. */
export class Applications {
  readonly #announced = new Map<string, string>();

  /** Stores whose announcement is remembered. */
  get size(): number {
    return this.#announced.size;
  }

  /** Takes note of an announcement; other messages say nothing that is kept. */
  note(msg: LogMsg): void {
    if (msg.kind !== "SetStoreInfo") return;
    const key = keyOf(msg.info.storeId);
    this.#announced.delete(key);
    this.#announced.set(key, shortened(msg.info.applicationId, MAX_NAME));
    forgetOldest(this.#announced, MAX_STORES);
  }

  /** The application of a store: as announced last, else as its id says, which it does since SDK 0.25. */
  of(store: StoreId): string | undefined {
    const { applicationId } = store;
    return this.#announced.get(keyOf(store)) ??
      (applicationId === undefined ? undefined : shortened(applicationId, MAX_NAME));
  }
}

function keyOf({ kind, id }: StoreId): string {
  return storeKey({ kind, id: shortened(id, MAX_NAME) });
}
