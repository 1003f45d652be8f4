/**
 * Writes what precedes the data in today's `ArrowMsg`s, several times as fast as field by field,
 * and provides the memory in which whole messages are put together.
 *
 * @module
 */
import type { Tuid } from "../tuid.ts";
import { writeHead } from "./encode_log_msg.ts";

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

/** Bytes of the memory that small messages share. */
const SLAB_BYTES = 256 * 1024;
const MOST_IN_SLAB = 32 * 1024;
/** Bytes of memory that are kept to be used again. */
const MOST_KEPT_BYTES = 4 * 1024 * 1024;

/** Memory for messages that are written, used again once it is released. */
export class WriterMemory {
  /** All memory that is kept, in use or free. */
  readonly #kept: Slab[] = [];
  #keptBytes = 0;
  /** How many of these slabs are in use. */
  #begun = 0;
  #slab = NO_SLAB;
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

  /** As `take`, in memory that is not used again. */
  takeOwn(bytes: number): { readonly slab: Slab; readonly at: number } {
    return { slab: newSlab(bytes), at: 0 };
  }

  /** Says that nobody needs what was taken. */
  release(): void {
    this.#begun = 0;
    this.#slab = NO_SLAB;
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

/** Has no room for anything. */
const NO_SLAB: Slab = newSlab(0);

/** The front of messages that share one schema: written once, then changed for each message. */
export class ArrowMsgFront {
  readonly #storeId: Uint8Array;
  readonly #isStatic: boolean;
  readonly #schema: Uint8Array;
  #front: Front | undefined;

  /**
   * @param storeId of all messages, encoded
   * @param isStatic whether the chunks have no time
   * @param schema the beginning of their Arrow data, as far as it is alike
   */
  constructor(storeId: Uint8Array, isStatic: boolean, schema: Uint8Array) {
    this.#storeId = storeId;
    this.#isStatic = isStatic;
    this.#schema = schema;
  }

  /**
   * Begins the next message.
   *
   * @param chunkId of the chunk, if it is known
   * @param restBytes length of its Arrow data behind the schema; none of it is compressed
   * @returns the front, valid until the next message begins
   */
  next(chunkId: Tuid | undefined, restBytes: number): Front {
    let front = this.#front;
    if (front?.restBytes !== restBytes || front.idAt === undefined !== (chunkId === undefined)) {
      front = this.#front = this.#written(chunkId !== undefined, restBytes);
    }
    const { view, idAt } = front;
    if (chunkId !== undefined) {
      view.setBigUint64(idAt! + 1, chunkId.timeNs, true);
      view.setBigUint64(idAt! + 10, chunkId.inc, true);
    }
    return front;
  }

  #written(hasId: boolean, restBytes: number): Front {
    const arrowBytes = this.#schema.length + restBytes;
    const tail = 2 + 1 + varintBytes(arrowBytes) + 2 + (hasId ? 2 + TUID_BYTES : 0) + 2 + 1 +
      varintBytes(arrowBytes);
    const schemaAt = HEAD_BYTES + this.#storeId.length + tail;
    const bytes = new Uint8Array(schemaAt + this.#schema.length);
    writeHead(bytes, 0, ARROW_MSG, schemaAt - HEAD_BYTES + arrowBytes);
    bytes.set(this.#storeId, HEAD_BYTES);
    let at = HEAD_BYTES + this.#storeId.length;
    bytes[at++] = TAGS.compression;
    bytes[at++] = 1;
    bytes[at++] = TAGS.uncompressedSize;
    at = writeVarint(bytes, at, arrowBytes);
    bytes[at++] = TAGS.encoding;
    bytes[at++] = 1;
    const idAt = hasId ? at + 2 : undefined;
    if (hasId) {
      bytes[at++] = TAGS.chunkId;
      bytes[at++] = TUID_BYTES;
      bytes[at] = TAGS.timeNs;
      bytes[at + 9] = TAGS.inc;
      at += TUID_BYTES;
    }
    bytes[at++] = TAGS.isStatic;
    bytes[at++] = this.#isStatic ? 1 : 0;
    bytes[at++] = TAGS.payload;
    writeVarint(bytes, at, arrowBytes);
    bytes.set(this.#schema, schemaAt);
    return { bytes, view: new DataView(bytes.buffer), schemaAt, restBytes, idAt };
  }
}

/** The front of a message, as `.rrd` has it. */
export interface Front {
  /** Envelope and schema. */
  readonly bytes: Uint8Array;
  /** A view of `bytes`, through which the numbers of the chunk's id are written. */
  readonly view: DataView;
  /** Where the schema begins, which is the Arrow data's beginning. */
  readonly schemaAt: number;
  /** Length of the Arrow data behind the schema, which the envelope's lengths count. */
  readonly restBytes: number;
  /** Where the fields of the chunk's id begin, if it has one. */
  readonly idAt: number | undefined;
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
