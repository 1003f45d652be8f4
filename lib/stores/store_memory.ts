/**
 * What a file must begin with to open alone: of each store its announcement, its blueprint and its
 * latest static data, within bounds.
 *
 * @module
 */
import { RrdDecoder } from "../encoding/rrd/rrd_decoder.ts";
import type { RrdHeader } from "../encoding/rrd/rrd_header.ts";
import { isNewProtobuf } from "../encoding/rrd/same_encoding.ts";
import { shortened as shortenedTo } from "../base/escape.ts";
import { forgetOldest } from "../base/forget_oldest.ts";
import type { LogMsg, StoreId, StoreInfo } from "../encoding/log_msg.ts";
import { staticKey } from "../encoding/arrow/static_key.ts";

/** Stores that are remembered; the one announced first is forgotten first. */
const MAX_STORES = 10_000;
/** Blueprints of one application. */
const MAX_BLUEPRINTS = 4;
/** Messages that are kept, in bytes; the oldest are forgotten first. */
const MAX_BYTES = 128 * 2 ** 20;

/** Stands for an announcement among the keys of data, all of which are longer. */
const ANNOUNCED = "";
/** Real ones have a few hundred bytes; as long may one be that is kept. */
const MAX_ANNOUNCEMENT_BYTES = 64 * 1024;
/** About what the objects around a kept message take, in bytes. */
const KEPT_OVERHEAD_BYTES = 512;
/** Enough for thousands of messages. */
const MANY_BYTES = 2 ** 20;
/** Characters of a name that are kept; peers choose it. */
const MAX_NAME = 1024;

/** A message that is kept; the bytes are its own. */
export interface Kept {
  readonly header: RrdHeader;
  readonly bytes: Uint8Array;
}

/** A recording or blueprint. */
export interface Store {
  readonly id: StoreId;
  /** As announced, or as the store id says. */
  info?: StoreInfo;
  /** The announcement as it came. */
  announced?: Kept;
  /** By entity and components, the newest last; of a blueprint all there is. */
  readonly data: Map<string, Kept>;
}

/** All stores that clients spoke of. */
export class StoreMemory {
  /** Messages that were forgotten for want of room. */
  forgotten = 0;

  readonly #maxBytes: number;
  readonly #stores = new Map<string, Store>();
  /** The oldest first. */
  readonly #order = new Map<Kept, readonly [Store, string]>();
  readonly #blueprints = new Map<string, Store[]>();
  #last: Store | undefined;
  #bytes = 0;
  #count = 0;

  /** @param maxBytes of kept messages */
  constructor(maxBytes: number = MAX_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** Stores that are remembered. */
  get size(): number {
    return this.#stores.size;
  }

  /** The store of a message; `undefined` where it has none. */
  storeOf(msg: LogMsg): Store | undefined {
    if (msg.kind === "ArrowMsg") return this.#store(msg.storeId);
    if (msg.kind === "SetStoreInfo") return this.#store(msg.info.storeId);
    return msg.kind === "BlueprintActivationCommand" ? this.#store(msg.blueprintId) : undefined;
  }

  /** The blueprints of an application. */
  blueprintsOf(applicationId: string): readonly Store[] {
    return this.#blueprints.get(shortened(applicationId)) ?? [];
  }

  /**
   * Keeps of a message what later files begin with.
   *
   * @param store the message's
   * @param msg any message
   * @param kept as it stands in the files
   */
  remember(store: Store, msg: LogMsg, kept: Kept): void {
    if (msg.kind === "SetStoreInfo") {
      this.#announce(store, msg.info, kept);
      if (store.id.kind === "Blueprint") this.#addBlueprint(msg.info.applicationId, store);
    } else if (store.id.kind === "Blueprint") {
      this.#keep(store, `${++this.#count}`, kept);
    } else if (msg.kind === "ArrowMsg") {
      const key = staticKey(msg);
      if (key !== undefined) this.#keep(store, key, kept);
    }
  }

  /** Remembers how a store was announced to an earlier run. */
  recall({ header, message }: { readonly header: Uint8Array; readonly message: Uint8Array }): void {
    const bytes = new Uint8Array(header.length + message.length);
    bytes.set(header);
    bytes.set(message, header.length);
    const [msg] = new RrdDecoder().push(bytes).items;
    if (msg?.kind !== "SetStoreInfo") return;
    this.remember(this.#store(msg.info.storeId), msg, msg.encoded);
  }

  #store(storeId: StoreId): Store {
    const last = this.#last;
    if (last !== undefined && last.id.id === storeId.id && last.id.kind === storeId.kind) {
      return last;
    }
    const { kind, applicationId } = storeId;
    const id = shortened(storeId.id);
    const key = storeKey({ kind, id });
    let store = this.#stores.get(key);
    if (store === undefined) {
      store = {
        id: {
          kind,
          id,
          ...(applicationId !== undefined && { applicationId: shortened(applicationId) }),
        },
        data: new Map(),
      };
      this.#stores.set(key, store);
      for (const [, gone] of forgetOldest(this.#stores, MAX_STORES)) this.#forget(gone);
    }
    return this.#last = store;
  }

  #announce(store: Store, info: StoreInfo, { header, bytes }: Kept): void {
    this.#drop(store, ANNOUNCED);
    if (bytes.length > MAX_ANNOUNCEMENT_BYTES) return;
    store.announced = { header, bytes: bytes.slice() };
    store.info = info;
    this.#hold(store, ANNOUNCED, store.announced);
  }

  #addBlueprint(fullApplicationId: string, store: Store): void {
    const applicationId = shortened(fullApplicationId);
    const known = this.#blueprints.get(applicationId) ?? [];
    if (known.includes(store)) return;
    const blueprints = [...known, store];
    if (blueprints.length > MAX_BLUEPRINTS) this.#forget(blueprints.shift()!);
    this.#blueprints.delete(applicationId);
    this.#blueprints.set(applicationId, blueprints);
    forgetOldest(this.#blueprints, MAX_STORES);
  }

  #keep(store: Store, name: string, { header, bytes }: Kept): void {
    const dialect = `${header.serializer} ${isNewProtobuf(header)}`;
    const key = `${dialect} ${header.compression} ${name}`;
    this.#drop(store, key);
    if (bytes.length > this.#maxBytes) {
      this.forgotten++;
      return;
    }
    const kept = { header, bytes: bytes.slice() };
    store.data.set(key, kept);
    this.#hold(store, key, kept);
  }

  #hold(store: Store, key: string, kept: Kept): void {
    this.#order.set(kept, [store, key]);
    this.#bytes += cost(kept);
    if (this.#bytes <= this.#maxBytes) return;
    // Some more than must be: to find the oldest takes a walk past all that went before.
    const enough = this.#maxBytes - (this.#maxBytes >= MANY_BYTES ? this.#maxBytes / 16 : 0);
    for (const [from, oldest] of this.#order.values()) {
      if (this.#bytes <= enough) break;
      this.#drop(from, oldest);
      this.forgotten++;
    }
  }

  #drop(store: Store, key: string): void {
    const kept = key === ANNOUNCED ? store.announced : store.data.get(key);
    if (kept === undefined) return;
    if (key === ANNOUNCED) {
      delete store.announced;
      delete store.info;
    } else store.data.delete(key);
    this.#order.delete(kept);
    this.#bytes -= cost(kept);
  }

  #forget(store: Store): void {
    for (const key of [ANNOUNCED, ...store.data.keys()]) this.#drop(store, key);
    if (this.#last === store) this.#last = undefined;
  }
}

/** What a kept message takes with the objects around it, in bytes. */
function cost({ bytes }: Kept): number {
  return bytes.length + KEPT_OVERHEAD_BYTES;
}

/** As much of a name as is kept. */
export function shortened(text: string): string {
  return shortenedTo(text, MAX_NAME);
}

/** Tells stores apart. */
export function storeKey({ kind, id }: StoreId): string {
  return `${kind} ${id}`;
}
