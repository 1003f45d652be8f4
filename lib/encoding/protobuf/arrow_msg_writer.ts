/**
 * Writes the envelopes of today's `ArrowMsg`s, several times as fast as field by field.
 *
 * @module
 */
import type { StoreId } from "../log_msg.ts";
import type { Tuid } from "../tuid.ts";
import { encodeStoreId, writeHead } from "./encode_log_msg.ts";

/** Before a message in `.rrd`, in bytes. */
const HEAD_BYTES = 16;
/** The kind of an `ArrowMsg`. */
const ARROW_MSG = 2;
/** A `Tuid` with the tags of its two fields. */
const TUID_BYTES = 18;
/** Tags: the field's number, and how its value is written. */
const TAGS = {
  compression: 2 << 3,
  uncompressedSize: 3 << 3,
  encoding: 4 << 3,
  payload: 5 << 3 | 2,
  chunkId: 6 << 3 | 2,
  isStatic: 7 << 3,
  timeNs: 1 << 3 | 1,
  inc: 2 << 3 | 1,
} as const;

/** Small messages share their memory, so many at once. */
const SLAB_BYTES = 256 * 1024;
const MOST_IN_SLAB = 32 * 1024;

/** Memory for a message, in which its envelope stands already. */
export interface RoomForArrow {
  /** All of the message, as `.rrd` has it. */
  readonly bytes: Uint8Array;
  /** Where its Arrow data goes, up to its end. */
  readonly arrow: Uint8Array;
}

/** Envelopes of one store's messages. */
export class ArrowMsgWriter {
  readonly #storeId: Uint8Array;
  #slab = new Uint8Array(0);
  #view = new DataView(this.#slab.buffer);
  #at = 0;

  /** @param storeId of all messages */
  constructor(storeId: StoreId) {
    this.#storeId = encodeStoreId(storeId, "v1alpha1");
  }

  /**
   * Makes room for a message, and writes its envelope.
   *
   * @param chunkId of the chunk, if it is known
   * @param isStatic whether the chunk has no time
   * @param arrowBytes length of its Arrow data, which is not compressed
   */
  room(chunkId: Tuid | undefined, isStatic: boolean, arrowBytes: number): RoomForArrow {
    const tail = 2 + 1 + varintBytes(arrowBytes) + 2 + (chunkId ? 2 + TUID_BYTES : 0) + 2 + 1 +
      varintBytes(arrowBytes);
    const length = this.#storeId.length + tail + arrowBytes;
    const start = this.#take(HEAD_BYTES + length);
    const slab = this.#slab;
    writeHead(slab, start, ARROW_MSG, length);
    slab.set(this.#storeId, start + HEAD_BYTES);
    let at = start + HEAD_BYTES + this.#storeId.length;
    slab[at++] = TAGS.compression;
    slab[at++] = 1;
    slab[at++] = TAGS.uncompressedSize;
    at = writeVarint(slab, at, arrowBytes);
    slab[at++] = TAGS.encoding;
    slab[at++] = 1;
    if (chunkId !== undefined) {
      slab[at++] = TAGS.chunkId;
      slab[at++] = TUID_BYTES;
      slab[at++] = TAGS.timeNs;
      this.#view.setBigUint64(at, chunkId.timeNs, true);
      slab[at + 8] = TAGS.inc;
      this.#view.setBigUint64(at + 9, chunkId.inc, true);
      at += 17;
    }
    slab[at++] = TAGS.isStatic;
    slab[at++] = isStatic ? 1 : 0;
    slab[at++] = TAGS.payload;
    at = writeVarint(slab, at, arrowBytes);
    return {
      bytes: new Uint8Array(slab.buffer, start, HEAD_BYTES + length),
      arrow: new Uint8Array(slab.buffer, at, arrowBytes),
    };
  }

  /** Where so many bytes are free. */
  #take(bytes: number): number {
    if (bytes > MOST_IN_SLAB || this.#at + bytes > this.#slab.length) {
      this.#slab = new Uint8Array(bytes > MOST_IN_SLAB ? bytes : SLAB_BYTES);
      this.#view = new DataView(this.#slab.buffer);
      this.#at = 0;
    }
    const at = this.#at;
    this.#at += bytes;
    return at;
  }
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

function writeVarint(into: Uint8Array, at: number, value: number): number {
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) into[at++] = rest % 128 | 0x80;
  into[at++] = rest;
  return at;
}
