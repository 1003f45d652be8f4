/**
 * Many small chunks as their bytes alone. As decoded messages they would take as much memory again,
 * in objects that each garbage collection walks over.
 *
 * @module
 */
import { RrdDecoder } from "../../encoding/rrd_decoder.ts";
import type { RrdHeader } from "../../encoding/rrd_header.ts";
import { MESSAGE_OVERHEAD_BYTES } from "../../flow/pinned_bytes.ts";
import type { LogMsg } from "../../log_msg.ts";
import type { Item, Memory } from "./_item.ts";

/** Larger messages are kept as they are, without a copy. */
const SMALL_BYTES = 32 * 1024;
/** A slab takes no more messages above this. */
const FULL_BYTES = 256 * 1024;

/** Chunks that came one after the other, under one RRD header. */
export class Slab implements Item {
  isProtected = false;
  isGone = false;
  messages = 0;
  bytes = 0;
  /** Another item came behind it: no message may be added. */
  isClosed = false;
  #data = new Uint8Array();
  readonly #memory: Memory;

  /**
   * @param seq place of its first message
   * @param header that all of its messages came under
   * @param memory counts what it takes
   */
  constructor(readonly seq: number, readonly header: RrdHeader, memory: Memory) {
    this.#memory = memory;
    memory.add(MESSAGE_OVERHEAD_BYTES);
  }

  /** Whether a message may be kept in slabs. */
  static takes(msg: LogMsg): boolean {
    return msg.encoded.form === "rrd" && msg.encoded.bytes.length < SMALL_BYTES;
  }

  get lastSeq(): number {
    return this.seq + this.messages - 1;
  }

  /**
   * Adds messages that came next, as far as it takes them.
   *
   * @returns how many
   */
  append(msgs: readonly LogMsg[]): number {
    if (this.isClosed) return 0;
    let fitting = 0;
    let length = this.bytes;
    for (; fitting < msgs.length && length < FULL_BYTES; fitting++) {
      const { encoded } = msgs[fitting]!;
      if (encoded.form !== "rrd" || !isSame(encoded.header, this.header)) break;
      length += encoded.bytes.length;
    }
    this.#reserve(length);
    for (const { encoded } of msgs.slice(0, fitting)) {
      this.#data.set(encoded.bytes, this.bytes);
      this.bytes += encoded.bytes.length;
    }
    this.messages += fitting;
    return fitting;
  }

  /** Its messages from a place on. */
  from(seq: number): LogMsg[] {
    const decoder = new RrdDecoder();
    decoder.push(this.header.bytes);
    const { items, error } = decoder.push(this.#data.subarray(0, this.bytes));
    // They have been decoded once, when they came.
    if (error !== undefined) throw error;
    return seq <= this.seq ? items : items.slice(seq - this.seq);
  }

  release(): void {
    this.#memory.add(-MESSAGE_OVERHEAD_BYTES - this.#data.length);
    this.#data = new Uint8Array();
  }

  #reserve(length: number): void {
    if (length <= this.#data.length) return;
    // What comes in many at once is given just its room; single ones double it.
    const size = this.bytes === 0 ? length : Math.max(length, 2 * this.#data.length);
    const grown = new Uint8Array(size);
    grown.set(this.#data.subarray(0, this.bytes));
    this.#memory.add(size - this.#data.length);
    this.#data = grown;
  }
}

function isSame(a: RrdHeader, b: RrdHeader): boolean {
  return a === b || a.bytes.every((byte, i) => byte === b.bytes[i]);
}
