/**
 * What late viewers are given: everything up to a limit, then the newest, and always what the rest
 * needs to be understood.
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
import { Entry, type Item, type Memory } from "./item.ts";
import { ItemList } from "./_item_list.ts";
import { Slab, SLAB_ROOM_BYTES } from "./slab.ts";

/** History of all recordings. */
export class History {
  /** What is in it. */
  readonly kept = newTally();
  /** Of these, what ordinary pressure spares. */
  readonly protected = newTally();
  /** What was dropped. */
  readonly evicted = newTally();
  /** Of these, what should have stayed. */
  readonly evictedProtected = newTally();
  /** Store infos, blueprints, activations, and what is unknown. */
  readonly preamble = new ItemList();
  /** Chunks of recordings. */
  readonly chunks = new ItemList();
  readonly #statics = new Map<string, Entry>();
  readonly #decoded = new DecodedSlabs();
  #open: Slab | undefined;
  readonly #room = new Uint8Array(SLAB_ROOM_BYTES);

  /**
   * @param limitBytes of memory, queues of viewers included
   * @param memory counts it
   */
  constructor(readonly limitBytes: number, readonly memory: Memory) {}

  /** Adds messages; {@linkcode History.trim} comes when viewers have been given them. */
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
      const oldest = this.chunks.oldest();
      if (oldest === undefined) break;
      this.#evict(this.chunks, oldest);
    }
    let isShort = false;
    // Not measured by all memory: what waits for viewers is in it, and has limits of its own.
    while (heldBytes(this.protected) > this.limitBytes) {
      isShort = true;
      const [chunk] = this.chunks.after(0);
      const [first] = this.preamble.after(0);
      const oldest = chunk ?? first!;
      addTo(this.evictedProtected, oldest);
      this.#evict(chunk === undefined ? this.preamble : this.chunks, oldest);
    }
    return isShort;
  }

  /** Whether messages may still be added to a slab. */
  isOpen(slab: Slab): boolean {
    return slab === this.#open;
  }

  #addSlabs(msgs: readonly LogMsg[]): void {
    for (let at = 0; at < msgs.length;) {
      const { encoded } = msgs[at]!;
      const before = this.#open?.bytes ?? 0;
      let taken = this.#open?.append(msgs.slice(at)) ?? 0;
      if (taken === 0) {
        this.#open?.close();
        const seq = this.memory.lastSeq + 1;
        const slab = new Slab(seq, encoded.header, this.#room, this.memory, this.#decoded);
        taken = slab.append(msgs.slice(at));
        this.chunks.push(this.#open = slab);
        addTo(this.kept, { messages: taken, bytes: slab.bytes });
      } else addTo(this.kept, { messages: taken, bytes: this.#open!.bytes - before });
      this.memory.lastSeq += taken;
      at += taken;
    }
  }

  #addEntry(msg: LogMsg): void {
    // Nothing may be added to a slab behind which something else came.
    this.#open?.close();
    this.#open = undefined;
    const isSpared = !isChunk(msg);
    const key = isSpared ? undefined : staticKeyOf(msg);
    const entry = new Entry(
      compact(msg, isSpared || key !== undefined),
      ++this.memory.lastSeq,
      this.memory,
      key,
    );
    entry.hold();
    addTo(this.kept, entry);
    (isSpared ? this.preamble : this.chunks).push(entry);
    if (isSpared) this.#protect(entry, true);
    if (key === undefined) return;
    const before = this.#statics.get(key);
    if (before !== undefined) {
      this.#protect(before, false);
      this.chunks.rescan(before);
    }
    this.#statics.set(key, entry);
    this.#protect(entry, true);
  }

  #evict(list: ItemList, item: Item): void {
    if (item.isProtected) {
      this.#protect(item, false);
      if (item instanceof Entry && item.staticKey !== undefined) {
        this.#statics.delete(item.staticKey);
      }
    }
    if (item === this.#open) this.#open = undefined;
    addTo(this.kept, item, -1);
    addTo(this.evicted, item);
    list.remove(item);
    item.release();
  }

  #protect(item: Item, isProtected: boolean): void {
    item.isProtected = isProtected;
    addTo(this.protected, item, isProtected ? 1 : -1);
  }
}

/** Chunks with a time, small enough for a slab. */
function isOrdinary(msg: LogMsg): boolean {
  return isChunk(msg) && Slab.takes(msg) && staticKeyOf(msg) === undefined;
}

/** Without what it would keep alive besides itself. */
function compact(msg: LogMsg, isSpared: boolean): LogMsg {
  const mustCopy = isSpared || isReused(msg.encoded.bytes);
  return mustCopy || isWasteful(pinnedBy([msg])) ? copyOut([msg])[0]! : msg;
}

/** Whether viewers get it after all that explains it. */
function isChunk(msg: LogMsg): boolean {
  return msg.kind === "ArrowMsg" && msg.storeId.kind === "Recording";
}

/** Nearly all chunks have a time in the envelope, or it says that they have: nothing of them is read. */
function mayBeStatic(msg: LogMsg): boolean {
  if (msg.kind !== "ArrowMsg") return false;
  if (msg.timepointMax === undefined) return msg.isStatic !== false;
  return msg.timepointMax.length === 0 || isOfTables(msg);
}

/** What newer static data of a recording replaces; `undefined` for all else. */
function staticKeyOf(msg: LogMsg): string | undefined {
  if (msg.kind !== "ArrowMsg" || !mayBeStatic(msg)) return undefined;
  const key = staticKey(msg);
  return key === undefined ? undefined : JSON.stringify([msg.storeId.id, key]);
}

function heldBytes({ messages, bytes }: Tally): number {
  return bytes + messages * MESSAGE_OVERHEAD_BYTES;
}
