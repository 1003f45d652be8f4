/**
 * What late viewers are given: everything up to a limit, then the newest, and always what the rest
 * needs to be understood.
 *
 * @module
 */
import { MESSAGE_OVERHEAD_BYTES } from "../../flow/pinned_bytes.ts";
import type { LogMsg } from "../../log_msg.ts";
import { staticKey } from "../_static_key.ts";
import type { Entry, Memory } from "./_entry.ts";
import { EntryList } from "./_entry_list.ts";

/** A tally that is counted up and down. */
interface Count {
  messages: number;
  bytes: number;
}

/** History of all recordings. */
export class History {
  /** What is in it. */
  readonly kept: Count = { messages: 0, bytes: 0 };
  /** Of these, what ordinary pressure spares. */
  readonly protected: Count = { messages: 0, bytes: 0 };
  /** What was dropped. */
  readonly evicted: Count = { messages: 0, bytes: 0 };
  /** Of these, what should have stayed. */
  readonly evictedProtected: Count = { messages: 0, bytes: 0 };
  /** Store infos, blueprints, activations, and what is unknown. */
  readonly preamble = new EntryList();
  /** Chunks of recordings. */
  readonly chunks = new EntryList();
  readonly #statics = new Map<string, Entry>();

  /**
   * @param limitBytes of memory, queues of viewers included
   * @param memory counts it
   */
  constructor(readonly limitBytes: number, readonly memory: Memory) {}

  /** Adds a message; {@linkcode History.trim} comes after a batch of them. */
  add(entry: Entry): void {
    this.memory.hold(entry);
    count(this.kept, entry, 1);
    if (!isChunk(entry.msg)) {
      this.preamble.push(entry);
      this.#protect(entry, true);
      return;
    }
    this.chunks.push(entry);
    const { staticKey: key } = entry;
    if (key === undefined) return;
    const before = this.#statics.get(key);
    if (before !== undefined) {
      this.#protect(before, false);
      this.chunks.rescan(before);
    }
    this.#statics.set(key, entry);
    this.#protect(entry, true);
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
      const chunk = this.chunks.first();
      const list = chunk === undefined ? this.preamble : this.chunks;
      const oldest = chunk ?? this.preamble.first()!;
      count(this.evictedProtected, oldest, 1);
      this.#evict(list, oldest);
    }
    return isShort;
  }

  #evict(list: EntryList, entry: Entry): void {
    const { staticKey: key } = entry;
    if (entry.isProtected) {
      this.#protect(entry, false);
      if (key !== undefined) this.#statics.delete(key);
    }
    count(this.kept, entry, -1);
    count(this.evicted, entry, 1);
    list.remove(entry);
    this.memory.release(entry);
  }

  #protect(entry: Entry, isProtected: boolean): void {
    entry.isProtected = isProtected;
    count(this.protected, entry, isProtected ? 1 : -1);
  }
}

/** Whether viewers get it after all that explains it. */
export function isChunk(msg: LogMsg): boolean {
  return msg.kind === "ArrowMsg" && msg.storeId.kind === "Recording";
}

/** What newer static data of a recording replaces; `undefined` for all else. */
export function staticKeyOf(msg: LogMsg): string | undefined {
  if (msg.kind !== "ArrowMsg" || msg.storeId.kind !== "Recording") return undefined;
  // Nearly all chunks have a time in the envelope: nothing of them is read.
  if (msg.timepointMax !== undefined && msg.timepointMax.length > 0) return undefined;
  const key = staticKey(msg);
  return key === undefined ? undefined : JSON.stringify([msg.storeId.id, key]);
}

function heldBytes({ messages, bytes }: Count): number {
  return bytes + messages * MESSAGE_OVERHEAD_BYTES;
}

function count(tally: Count, { size }: Entry, sign: 1 | -1): void {
  tally.messages += sign;
  tally.bytes += sign * size;
}
