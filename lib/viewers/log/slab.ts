/**
 * Many small chunks, kept only as bytes. Decoded they would take twice the memory, in objects that
 * each garbage collection has to walk over.
 *
 * @module
 */
import { RrdDecoder } from "../../encoding/rrd/rrd_decoder.ts";
import type { RrdHeader } from "../../encoding/rrd_header.ts";
import { MESSAGE_OVERHEAD_BYTES } from "../../flow/channel/pinned_bytes.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import type { DecodedSlabs } from "./_decoded_slabs.ts";
import type { Item } from "./item.ts";
import type { Memory } from "./memory.ts";

/** Larger messages, in bytes, are kept as they are, without a copy. */
const SMALL_BYTES = 32 * 1024;
/** A slab with so many bytes takes no more messages. */
const FULL_BYTES = 256 * 1024;
/** Bytes that a slab may need at most. */
export const SLAB_ROOM_BYTES: number = FULL_BYTES + SMALL_BYTES;

/**
 * Successive chunks under one RRD header.
 *
 * While it is open, its bytes are in a buffer that one slab after another uses: growing buffers
 * would leave several times as much garbage.
 */
export class Slab implements Item {
  readonly role = "chunk";
  isProtected = false;
  isGone = false;
  messages = 0;
  bytes = 0;
  #isClosed = false;
  /** The shared buffer while it is open, then a buffer of its own. */
  #data: Uint8Array;
  readonly #memory: Memory;
  readonly #decoded: DecodedSlabs;

  /**
   * @param seq place of its first message
   * @param before encoded bytes before it
   * @param header that all of its messages came under
   * @param room a buffer of {@linkcode SLAB_ROOM_BYTES}, which it uses until it is closed
   * @param memory counts its memory
   * @param decoded shared by all slabs
   */
  constructor(
    readonly seq: number,
    readonly before: number,
    readonly header: RrdHeader,
    room: Uint8Array,
    memory: Memory,
    decoded: DecodedSlabs,
  ) {
    this.#data = room;
    this.#memory = memory;
    this.#decoded = decoded;
    memory.add(MESSAGE_OVERHEAD_BYTES);
  }

  /** Whether a message may be kept in slabs. */
  static takes(msg: LogMsg): boolean {
    return msg.encoded.bytes.length < SMALL_BYTES;
  }

  get lastSeq(): number {
    return this.seq + this.messages - 1;
  }

  /**
   * Adds the next messages, as far as there is room.
   *
   * @returns how many
   */
  append(msgs: readonly LogMsg[]): number {
    if (this.#isClosed) return 0;
    let fitting = 0;
    let length = this.bytes;
    for (; fitting < msgs.length && length < FULL_BYTES; fitting++) {
      const { encoded } = msgs[fitting]!;
      if (!isSame(encoded.header, this.header)) break;
      length += encoded.bytes.length;
    }
    this.#memory.add(length - this.bytes);
    for (const { encoded } of msgs.slice(0, fitting)) {
      this.#data.set(encoded.bytes, this.bytes);
      this.bytes += encoded.bytes.length;
    }
    this.messages += fitting;
    if (length >= FULL_BYTES) this.close();
    return fitting;
  }

  /** Closes it: its bytes get a buffer of their own, and no message is added any more. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#data = this.#data.slice(0, this.bytes);
  }

  /** Its messages from a place on. */
  from(seq: number): readonly LogMsg[] {
    const all = this.#isClosed
      ? this.#decoded.get(this, () => this.#decode(this.#data))
      // Copied, for the shared buffer will be overwritten.
      : this.#decode(this.#data.slice(0, this.bytes));
    return seq <= this.seq ? all : all.slice(seq - this.seq);
  }

  release(): void {
    this.#memory.add(-MESSAGE_OVERHEAD_BYTES - this.bytes);
    this.#isClosed = true;
    this.#data = new Uint8Array();
    this.#decoded.forget(this);
  }

  #decode(bytes: Uint8Array): readonly LogMsg[] {
    const decoder = new RrdDecoder();
    decoder.push(this.header.bytes);
    const { items, error } = decoder.push(bytes);
    // Can't happen: the messages were decoded once when they came.
    if (error !== undefined) throw error;
    return items;
  }
}

function isSame(a: RrdHeader, b: RrdHeader): boolean {
  return a === b || a.bytes.every((byte, i) => byte === b.bytes[i]);
}
