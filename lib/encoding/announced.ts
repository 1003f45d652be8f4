/**
 * Remembers the applications of recordings, as their announcements told them.
 *
 * @module
 */
import { shortened } from "../base/escape.ts";
import { forgetOldest } from "../base/forget_oldest.ts";
import type { LogMsg } from "./log_msg.ts";
import type { StoreId } from "./message_parts.ts";
import { storeKey } from "./store_of.ts";

/** How many stores are remembered; the one announced longest ago is forgotten first. */
const MAX_STORES = 10_000;
/** Characters that are kept of a name; peers choose names as long as they like. */
const MAX_NAME = 1024;

/**
 * Tells messages of SDK 0.24 and before, which do not say it themselves, which application they
 * belong to.
 */
export class Announced {
  /** By store; made with the first announcement. */
  #applications: Map<string, string> | undefined;
  /** The store of the last message, and its application. */
  #last: StoreId | undefined;
  #application: string | undefined;

  /** Takes note of announcements, and tells the messages after them. */
  tell(msgs: readonly LogMsg[]): void {
    for (const msg of msgs) this.tellOne(msg);
  }

  /** Takes note of one message, or tells it what was announced before. */
  tellOne(msg: LogMsg): void {
    switch (msg.kind) {
      case "ArrowMsg":
        if (msg.storeId.applicationId !== undefined || this.#applications === undefined) return;
        return msg.announce(this.#of(msg.storeId));
      case "SetStoreInfo":
        this.#note(msg.info.storeId, msg.info.applicationId);
        return show(msg, msg.info.applicationId);
      case "BlueprintActivationCommand":
        return show(msg, msg.blueprintId.applicationId ?? this.#of(msg.blueprintId));
      case "UnknownMsg":
    }
  }

  #note(store: StoreId, application: string): void {
    const key = keyOf(store);
    const known = this.#applications ??= new Map();
    known.delete(key);
    known.set(key, shortened(application, MAX_NAME));
    forgetOldest(known, MAX_STORES);
    this.#last = undefined;
  }

  #of(store: StoreId): string | undefined {
    const last = this.#last;
    if (last === store) return this.#application;
    if (last === undefined || last.id !== store.id || last.kind !== store.kind) {
      this.#last = store;
      this.#application = this.#applications?.get(keyOf(store));
    }
    return this.#application;
  }
}

function keyOf({ kind, id }: StoreId): string {
  return storeKey({ kind, id: shortened(id, MAX_NAME) });
}

/**
 * Sets the application of a message as a property that is not enumerable, since messages are copied
 * and compared.
 */
function show(msg: LogMsg, applicationId: string | undefined): void {
  if (applicationId === undefined || msg.applicationId === applicationId) return;
  Object.defineProperty(msg, "applicationId", { value: applicationId, configurable: true });
}
