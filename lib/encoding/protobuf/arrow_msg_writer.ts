/**
 * Writes the envelopes of today's `ArrowMsg`s, several times as fast as field by field.
 *
 * @module
 */
import type { StoreId } from "../message_parts.ts";
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
/** Memory that is kept to be used again. */
const MOST_KEPT_BYTES = 4 * 1024 * 1024;

/** Memory for what is written, from which it takes turns. */
export class WriterMemory {
  /** All of it that is kept: what was given out since it was released, and what is free. */
  readonly #kept: Slab[] = [];
  #keptBytes = 0;
  /** How many of them were begun. */
  #begun = 0;
  #slab = newSlab(0);
  #at = 0;
  readonly #maxKeptBytes: number;

  /** @param maxKeptBytes of memory that is kept to be used again; 0 for none */
  constructor(maxKeptBytes: number = MOST_KEPT_BYTES) {
    this.#maxKeptBytes = maxKeptBytes;
  }

  /**
   * Takes so many bytes.
   *
   * @returns the memory they are in, and where
   */
  take(bytes: number): { readonly slab: Slab; readonly at: number } {
    if (bytes > MOST_KEPT_BYTES) return { slab: newSlab(bytes), at: 0 };
    if (this.#at + bytes > this.#slab.bytes.length) this.#next(bytes);
    const at = this.#at;
    this.#at += bytes;
    return { slab: this.#slab, at };
  }

  /** Says that nobody needs what was given out. */
  release(): void {
    this.#begun = 0;
    this.#slab = newSlab(0);
    this.#at = 0;
  }

  #next(bytes: number): void {
    this.#at = 0;
    while (this.#begun < this.#kept.length) {
      this.#slab = this.#kept[this.#begun++]!;
      if (bytes <= this.#slab.bytes.length) return;
    }
    this.#slab = newSlab(bytes > MOST_IN_SLAB ? bytes : SLAB_BYTES);
    const { length } = this.#slab.bytes;
    if (this.#keptBytes + length > this.#maxKeptBytes) return;
    this.#kept.push(this.#slab);
    this.#keptBytes += length;
    this.#begun++;
  }
}

/** Memory, and a view of it. */
interface Slab {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly buffer: ArrayBuffer;
  readonly view: DataView;
}

function newSlab(length: number): Slab {
  const buffer = new ArrayBuffer(length);
  // Asking for a buffer is slow on Bun (see pinned_bytes.ts).
  return { bytes: new Uint8Array(buffer), buffer, view: new DataView(buffer) };
}

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
  readonly #memory: WriterMemory;

  /**
   * @param storeId of all messages
   * @param memory for them
   */
  constructor(storeId: StoreId, memory: WriterMemory) {
    this.#memory = memory;
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
    const { slab: { bytes: slab, buffer, view }, at: start } = this.#memory.take(
      HEAD_BYTES + length,
    );
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
      view.setBigUint64(at, chunkId.timeNs, true);
      slab[at + 8] = TAGS.inc;
      view.setBigUint64(at + 9, chunkId.inc, true);
      at += 17;
    }
    slab[at++] = TAGS.isStatic;
    slab[at++] = isStatic ? 1 : 0;
    slab[at++] = TAGS.payload;
    at = writeVarint(slab, at, arrowBytes);
    return {
      bytes: new Uint8Array(buffer, start, HEAD_BYTES + length),
      arrow: new Uint8Array(buffer, at, arrowBytes),
    };
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
