/**
 * The log for viewers: everything up to a limit, above it the newest, and always what is needed to
 * understand the rest.
 *
 * @module
 */
import { addTo, newTally, type Tally } from "../../base/tally.ts";
import { isReused } from "../../memory/buffer_pool.ts";
import { copyOut } from "../../flow/channel/copy_out.ts";
import { isWasteful, MESSAGE_OVERHEAD_BYTES, pinnedBy } from "../../flow/channel/pinned_bytes.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import { isOfTables, staticKey } from "../../encoding/arrow/static_key.ts";
import { DecodedSlabs } from "./_decoded_slabs.ts";
import { Entry, type Item } from "./item.ts";
import type { Memory } from "./memory.ts";
import { ItemList } from "./_item_list.ts";
import { Slab, SLAB_ROOM_BYTES } from "./slab.ts";

/** Called with an item before the log drops it. */
export type OnEvict = (item: Item) => void;

/** All that came, as far as it fits: history and live messages are one list. */
export class ViewerLog {
  /** How much is in it. */
  readonly kept = newTally();
  /** How much of that is spared when the oldest are dropped. */
  readonly protected = newTally();
  /** How much was dropped. */
  readonly evicted = newTally();
  /** How much of that should have stayed. */
  readonly evictedProtected = newTally();
  /** All items, in the order of arrival. */
  readonly items = new ItemList();
  /** The items that are store infos, blueprints, activations, and what is unknown. */
  readonly preamble = new ItemList();
  /** The items that are static data of recordings. */
  readonly statics = new ItemList();
  /** The place of the newest message. */
  lastSeq = 0;
  /** Encoded bytes of all that ever came. */
  bytes = 0;
  readonly #latest = new Map<string, Entry>();
  readonly #decoded = new DecodedSlabs();
  #open: Slab | undefined;
  readonly #spareRoom = new Uint8Array(SLAB_ROOM_BYTES);
  readonly #onEvict: OnEvict;

  /**
   * @param limitBytes limit of memory, which includes all that viewers keep alive
   * @param memory counts the memory
   * @param onEvict called with an item before it is dropped
   */
  constructor(readonly limitBytes: number, readonly memory: Memory, onEvict: OnEvict = () => {}) {
    this.#onEvict = onEvict;
  }

  /** Adds messages; {@linkcode ViewerLog.trim} must be called after viewers were told of them. */
  add(msgs: readonly LogMsg[]): void {
    for (let at = 0; at < msgs.length;) {
      const end = msgs.findIndex((msg, i) => i >= at && !isOrdinary(msg));
      const run = msgs.slice(at, end < 0 ? undefined : end);
      if (run.length > 0) this.#addSlabs(run);
      at += run.length;
      if (at < msgs.length) this.#addEntry(msgs[at++]!);
    }
  }

  /**
   * Drops the oldest until all fits the limit.
   *
   * @returns whether something had to go that should have stayed
   */
  trim(): boolean {
    while (this.memory.bytes > this.limitBytes) {
      const oldest = this.items.oldest();
      if (oldest === undefined) break;
      this.#evict(oldest);
    }
    let isShort = false;
    // Compared without what viewers keep alive, which has limits of its own.
    while (heldBytes(this.protected) > this.limitBytes) {
      isShort = true;
      const oldest = this.statics.first ?? this.preamble.first!;
      addTo(this.evictedProtected, oldest);
      this.#evict(oldest);
    }
    return isShort;
  }

  /** Closes the open slab: nothing is added to existing items any more. */
  seal(): void {
    this.#open?.close();
    this.#open = undefined;
  }

  /** Whether messages may still be added to a slab. */
  isOpen(slab: Slab): boolean {
    return slab === this.#open;
  }

  /**
   * How much is kept of what came after a place.
   *
   * @param seq the place of the last message before it
   */
  after(seq: number): Tally {
    if (seq >= this.lastSeq) return newTally();
    // Before the oldest item that is not spared there is next to nothing.
    const oldest = this.items.oldest();
    const from = Math.max(seq + 1, oldest?.seq ?? 0);
    const item = this.items.at(from);
    if (item === undefined) return newTally();
    const passed = from <= item.seq ? 0 : item.bytes - bytesOf(item.from(from));
    const messages = this.lastSeq - Math.max(from, item.seq) + 1;
    return { messages, bytes: this.bytes - item.before - passed };
  }

  #addSlabs(msgs: readonly LogMsg[]): void {
    for (let at = 0; at < msgs.length;) {
      const { encoded } = msgs[at]!;
      let before = this.#open?.bytes ?? 0;
      let taken = this.#open?.append(msgs.slice(at)) ?? 0;
      if (taken === 0) {
        this.#open?.close();
        const seq = this.lastSeq + 1;
        const slab = new Slab(
          ...[
            seq,
            this.bytes,
            encoded.header,
            this.#spareRoom,
            this.memory,
            this.#decoded,
          ] as const,
        );
        before = 0;
        taken = slab.append(msgs.slice(at));
        this.items.push(this.#open = slab);
      }
      this.#came({ messages: taken, bytes: this.#open!.bytes - before });
      at += taken;
    }
  }

  #addEntry(msg: LogMsg): void {
    // Nothing may be added to a slab after another item came.
    this.seal();
    const isSpared = !isChunk(msg);
    const key = isSpared ? undefined : staticKeyOf(msg);
    const role = isSpared ? "preamble" : key === undefined ? "chunk" : "static";
    const kept = compact(msg, role !== "chunk");
    const seq = this.lastSeq + 1;
    const entry = new Entry(kept, seq, this.bytes, this.memory, "log", role, key).hold();
    this.items.push(entry);
    this.#came(entry);
    if (role === "chunk") return;
    (role === "preamble" ? this.preamble : this.statics).push(entry);
    this.#protect(entry, true);
    if (key === undefined) return;
    const before = this.#latest.get(key);
    if (before !== undefined) {
      this.#protect(before, false);
      this.items.rescan(before);
    }
    this.#latest.set(key, entry);
  }

  #came(what: Tally): void {
    addTo(this.kept, what);
    this.lastSeq += what.messages;
    this.bytes += what.bytes;
  }

  #evict(item: Item): void {
    this.#onEvict(item);
    if (item.isProtected) {
      this.#protect(item, false);
      if (item instanceof Entry && item.staticKey !== undefined) {
        this.#latest.delete(item.staticKey);
      }
    }
    if (item === this.#open) this.#open = undefined;
    addTo(this.kept, item, -1);
    addTo(this.evicted, item);
    this.items.remove(item);
    if (item.role !== "chunk") {
      (item.role === "preamble" ? this.preamble : this.statics).remove(item);
    }
    item.release();
  }

  #protect(item: Item, isProtected: boolean): void {
    item.isProtected = isProtected;
    addTo(this.protected, item, isProtected ? 1 : -1);
  }
}

/** Encoded bytes of messages. */
export function bytesOf(msgs: readonly LogMsg[]): number {
  return msgs.reduce((sum, { encoded }) => sum + encoded.bytes.length, 0);
}

/** Whether a message is a chunk with a time, small enough for a slab. */
function isOrdinary(msg: LogMsg): boolean {
  return isChunk(msg) && Slab.takes(msg) && staticKeyOf(msg) === undefined;
}

/** Copies a message if it would keep much else alive. */
function compact(msg: LogMsg, isSpared: boolean): LogMsg {
  const mustCopy = isSpared || isReused(msg.encoded.bytes);
  return mustCopy || isWasteful(pinnedBy([msg])) ? copyOut([msg])[0]! : msg;
}

/** Whether it is a chunk, which viewers get after all that explains it. */
function isChunk(msg: LogMsg): boolean {
  return msg.kind === "ArrowMsg" && msg.storeId.kind === "Recording";
}

/**
 * Whether a chunk may be static; for nearly all the envelope tells that they are not, without
 * reading their data.
 */
function mayBeStatic(msg: LogMsg): boolean {
  if (msg.kind !== "ArrowMsg") return false;
  if (msg.timepointMax === undefined) return msg.isStatic !== false;
  return msg.timepointMax.length === 0 || isOfTables(msg);
}

/**
 * The key by which newer static data of a recording replaces older; `undefined` for everything
 * else.
 */
function staticKeyOf(msg: LogMsg): string | undefined {
  if (msg.kind !== "ArrowMsg" || !mayBeStatic(msg)) return undefined;
  const key = staticKey(msg);
  return key === undefined ? undefined : JSON.stringify([msg.storeId.id, key]);
}

function heldBytes({ messages, bytes }: Tally): number {
  return bytes + messages * MESSAGE_OVERHEAD_BYTES;
}
