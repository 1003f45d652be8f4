/**
 * Remembers what a file must begin with so that it can be opened alone: of each store its
 * announcement, its blueprint and its latest static data, within bounds.
 *
 * @module
 */
import { RrdDecoder } from "../encoding/rrd/rrd_decoder.ts";
import { isNewProtobuf } from "../encoding/rrd/same_encoding.ts";
import { shortened as shortenedTo } from "../base/escape.ts";
import { forgetOldest } from "../base/forget_oldest.ts";
import type { LogMsg } from "../encoding/log_msg.ts";
import type { StoreId, StoreInfo } from "../encoding/message_parts.ts";
import { addTo } from "../base/tally.ts";
import { storeOf } from "../encoding/store_of.ts";
import { KeptBytes } from "./_kept_bytes.ts";
import type { Kept } from "./kept.ts";
import { staticKey } from "../encoding/arrow/static_key.ts";

/** How many recordings are remembered; the one announced first is forgotten first. */
const MAX_RECORDINGS = 9000;
/** How many blueprints are remembered besides those of which data is kept. */
const MAX_BLUEPRINTS = 1000;
/** Bytes of static data that are kept. */
const MAX_BYTES = 128 * 2 ** 20;
/** What blueprints may take in addition, as a share of these bytes. */
const BLUEPRINT_SHARE = 1 / 4;
/** How long an announcement may be that is kept, in bytes; real ones have a few hundred. */
const MAX_ANNOUNCEMENT_BYTES = 64 * 1024;
/** Characters of a name that are kept; peers choose it. */
const MAX_NAME = 1024;

/** A recording or blueprint. */
export interface Store {
  readonly id: StoreId;
  /** What was announced; before that what the store id says. */
  info?: StoreInfo;
  /** The announcement as it came. */
  announced?: Kept;
  /** Static data by entity and components, the newest last; of a blueprint all data. */
  readonly data: Map<string, Kept>;
}

/** All stores that clients have logged to. */
export class StoreMemory {
  readonly #recordings = new Map<string, Store>();
  readonly #blueprints = new Map<string, Store>();
  readonly #statics: KeptBytes;
  readonly #layouts: KeptBytes;
  /**
   * Messages of blueprints that came again before a file had them: nothing is lost by leaving these
   * out.
   */
  readonly repeated = { messages: 0, bytes: 0 };
  #last: Store | undefined;
  #count = 0;

  /** @param maxBytes of kept static data; blueprints may take a quarter as much */
  constructor(maxBytes: number = MAX_BYTES) {
    this.#statics = new KeptBytes(maxBytes);
    this.#layouts = new KeptBytes(maxBytes * BLUEPRINT_SHARE);
  }

  /** Stores that are remembered. */
  get size(): number {
    return this.#recordings.size + this.#blueprints.size;
  }

  /** Messages that were forgotten for want of room. */
  get forgotten(): number {
    return this.#statics.forgotten + this.#layouts.forgotten;
  }

  /** The store of a message; `undefined` where it has none. */
  storeOf(msg: LogMsg): Store | undefined {
    const id = storeOf(msg);
    return id === undefined ? undefined : this.#store(id);
  }

  /**
   * Keeps a message if later files must begin with it.
   *
   * @param store the store of the message
   * @param msg any message
   * @param message as it stands in the files
   * @returns what is kept; `undefined` if it is not
   */
  remember(store: Store, msg: LogMsg, message: Kept): Kept | undefined {
    if (msg.kind === "SetStoreInfo") return this.#announce(store, msg.info, message);
    const key = store.id.kind === "Blueprint"
      ? this.#blueprintKey(msg)
      : msg.kind === "ArrowMsg"
      ? staticKey(msg)
      : undefined;
    return key === undefined ? undefined : this.#keep(store, key, message);
  }

  /** Remembers how a store was announced to an earlier run. */
  recall({ header, message }: { readonly header: Uint8Array; readonly message: Uint8Array }): void {
    const bytes = new Uint8Array(header.length + message.length);
    bytes.set(header);
    bytes.set(message, header.length);
    const [msg] = new RrdDecoder().push(bytes).items;
    if (msg?.kind !== "SetStoreInfo") return;
    const kept = this.#announce(this.#store(msg.info.storeId), msg.info, msg.encoded);
    if (kept !== undefined) kept.isNew = false;
  }

  /** Forgets a store's data, but not its announcement. */
  dropData(store: Store): void {
    for (const key of store.data.keys()) this.#drop(store, key);
  }

  #store(storeId: StoreId): Store {
    const last = this.#last;
    if (last !== undefined && last.id.id === storeId.id && last.id.kind === storeId.kind) {
      return last;
    }
    const { kind, applicationId } = storeId;
    const id = shortened(storeId.id);
    const stores = kind === "Blueprint" ? this.#blueprints : this.#recordings;
    let store = stores.get(id);
    if (store === undefined) {
      store = {
        id: {
          kind,
          id,
          ...(applicationId !== undefined && { applicationId: shortened(applicationId) }),
        },
        data: new Map(),
      };
      stores.set(id, store);
      // Blueprints that later files begin with are kept, however many came since.
      const gone = kind === "Blueprint"
        ? forgetOldest(stores, MAX_BLUEPRINTS, ({ data }) => data.size === 0)
        : forgetOldest(stores, MAX_RECORDINGS);
      for (const [, store] of gone) this.#forget(store);
    }
    return this.#last = store;
  }

  #announce(store: Store, info: StoreInfo, { header, bytes }: Kept): Kept | undefined {
    this.#countRepeated(store.announced);
    this.#dropAnnouncement(store);
    if (bytes.length > MAX_ANNOUNCEMENT_BYTES) return undefined;
    const kept: Kept = { header, bytes: bytes.slice() };
    if (store.id.kind === "Blueprint") kept.isNew = true;
    store.announced = kept;
    store.info = info;
    this.#budgetOf(store).add(kept, () => this.#dropAnnouncement(store));
    return store.announced;
  }

  /**
   * The key by which a newer message of a blueprint replaces one: only the same message, sent
   * again, does.
   */
  #blueprintKey(msg: LogMsg): string {
    if (msg.kind === "BlueprintActivationCommand") {
      return `activation ${msg.makeActive} ${msg.makeDefault}`;
    }
    return msg.kind === "ArrowMsg" && msg.chunkId !== undefined
      ? `chunk ${msg.chunkId}`
      : `${++this.#count}`;
  }

  #keep(store: Store, name: string, { header, bytes }: Kept): Kept | undefined {
    const dialect = `${header.serializer} ${isNewProtobuf(header)}`;
    const key = `${dialect} ${header.compression} ${name}`;
    this.#countRepeated(store.data.get(key));
    this.#drop(store, key);
    const budget = this.#budgetOf(store);
    if (!budget.takes(bytes.length)) return undefined;
    const kept: Kept = { header, bytes: bytes.slice() };
    if (store.id.kind === "Blueprint") kept.isNew = true;
    store.data.set(key, kept);
    budget.add(kept, () => store.data.delete(key));
    return store.data.get(key);
  }

  #countRepeated(before: Kept | undefined): void {
    if (before?.isNew) addTo(this.repeated, { messages: 1, bytes: before.bytes.length });
  }

  #drop(store: Store, key: string): void {
    const kept = store.data.get(key);
    if (kept === undefined) return;
    store.data.delete(key);
    this.#budgetOf(store).remove(kept);
  }

  #dropAnnouncement(store: Store): void {
    if (store.announced !== undefined) this.#budgetOf(store).remove(store.announced);
    delete store.announced;
    delete store.info;
  }

  #forget(store: Store): void {
    this.#dropAnnouncement(store);
    this.dropData(store);
    if (this.#last === store) this.#last = undefined;
  }

  #budgetOf({ id: { kind } }: Store): KeptBytes {
    return kind === "Blueprint" ? this.#layouts : this.#statics;
  }
}

/** A name, cut to what is kept of it. */
export function shortened(text: string): string {
  return shortenedTo(text, MAX_NAME);
}
