import { Assembler, leadFor } from "../../memory/assembler.ts";
import { MessageTooLarge } from "../../base/errors.ts";
import type { BufferPool } from "../../memory/buffer_pool.ts";
import type { Step, StepResult } from "../../base/step.ts";
import type { Encoding } from "./inflate.ts";
import { CallCut, GrpcError, STATUS } from "./status.ts";

/**
 * Length of the head before each message, in bytes: a flag, and the message's length as a
 * big-endian u32.
 */
export const FRAME_HEAD_BYTES = 5;
/** The flag of a message that is compressed. */
const COMPRESSED = 1;
/** From so many missing bytes on it is worth reading directly into the message. */
const LEAST_ROOM = 32 * 1024;
/** The numbers of smaller messages are copied fast. */
const ALIGNED_BYTES = 64 * 1024;

/** Options of {@linkcode GrpcBody}. */
export interface BodyOptions {
  /** Limit of a message in bytes. */
  readonly maxMessageBytes: number;
  /**
   * Bytes before each message, in the same buffer, that the caller may overwrite; default 0. With
   * some, messages never are views on what was pushed.
   */
  readonly headroom?: number;
  /** Where memory for messages comes from; without it, it is new. */
  readonly pool?: BufferPool | undefined;
  /** Takes memory from slabs until a message is whole; `clear` must be called at the end then. */
  readonly inSlabs?: boolean;
  /** How compressed messages are compressed; left out, no message may be. */
  readonly encoding?: Encoding | undefined;
}

/** What a piece of a body gave. */
export interface BodyResult<T> extends StepResult<T> {
  /**
   * A compressed message that follows the items: a view, whose memory may be used again after the
   * push.
   */
  readonly compressed?: Uint8Array;
  /** The rest of the piece, behind that message, which was not looked at. */
  readonly rest?: Uint8Array;
}

/** The body of a call → its messages: as views if they came in one piece, else put together. */
export class GrpcBody implements Step<Uint8Array, Uint8Array> {
  readonly #maxMessageBytes: number;
  readonly #headroom: Uint8Array<ArrayBuffer>;
  readonly #pool: BufferPool | undefined;
  readonly #encoding: Encoding | undefined;
  readonly #assembler: Assembler;
  readonly #head = new Uint8Array(FRAME_HEAD_BYTES);
  #headFilled = 0;
  #flag = 0;
  /** Length of the message that is being put together; −1 between messages. */
  #length = -1;
  #isOver = false;
  /** The buffer of the messages that were handed over last, while it counts as used by us. */
  #given: ArrayBuffer | undefined;

  /** @param options limit of a message, and where its memory comes from */
  constructor({ maxMessageBytes, headroom = 0, pool, inSlabs, encoding }: BodyOptions) {
    this.#encoding = encoding;
    this.#maxMessageBytes = maxMessageBytes;
    this.#headroom = new Uint8Array(headroom);
    this.#pool = pool;
    this.#assembler = new Assembler(pool, inSlabs);
  }

  /** Bytes of memory taken for a message that is not whole. */
  get unfinishedBytes(): number {
    return this.#assembler.capacity;
  }

  /** Bytes that came of a message that is not whole, its head included; 0 between messages. */
  get partialBytes(): number {
    return this.#length < 0 ? this.#headFilled : FRAME_HEAD_BYTES + this.#received;
  }

  /**
   * Where the next bytes of a large message may be put directly, before they are pushed.
   *
   * @param most how many of the next bytes are sure to be the body's
   */
  readInto(most: number): Uint8Array<ArrayBuffer> | undefined {
    if (this.#isOver || this.#length < 0 || most < LEAST_ROOM) return undefined;
    return this.#assembler.readInto(this.#whole)?.subarray(0, most);
  }

  /**
   * Puts the next messages together so that their data lies at a multiple of 8: SDKs have it at the
   * same place in each for as long as they log alike.
   *
   * @param message that was cut
   * @param data where it lies in that message
   */
  alignLike(message: Uint8Array, data: Uint8Array): void {
    if (message.length < ALIGNED_BYTES || data.buffer !== message.buffer) return;
    this.#assembler.lead = leadFor(this.#headroom.length + data.byteOffset - message.byteOffset);
  }

  /**
   * Drops our own use of the messages of the last push; to be called once their users are counted.
   */
  releaseTaken(): void {
    this.#assembler.releaseTaken();
    if (this.#given !== undefined) this.#pool?.release([this.#given]);
    this.#given = undefined;
  }

  /**
   * Gives up the message that is not whole, and all that comes; a read into its memory may still be
   * under way.
   */
  shed(): void {
    this.#assembler.shed();
    this.#isOver = true;
  }

  /** Drops what came of a message that is not whole, once nothing is read into it any more. */
  clear(): void {
    this.#assembler.clear();
    this.#isOver = true;
  }

  push(bytes: Uint8Array): BodyResult<Uint8Array> {
    const items: Uint8Array[] = [];
    // How many messages do not lie in the pushed bytes: only the first can be one.
    let own = 0;
    let error: Error | undefined;
    let isCompressed = false;
    let at = 0;
    // Asked for once, for many views: asking a view for its buffer is slow on Bun (see
    // pinned_bytes.ts).
    const { buffer, byteOffset, length: end } = bytes;
    while (at < end && !this.#isOver && !isCompressed) {
      if (this.#length < 0) {
        at = this.#readHead(bytes, at);
        if (this.#length < 0) break;
        error = this.#check();
        if (error !== undefined) break;
        if (at + this.#length > end) continue;
        items.push(new Uint8Array(buffer, byteOffset + at, this.#length));
        at += this.#length;
      } else {
        if (this.#assembler.filled === 0) this.#makeHeadroom();
        at = this.#assembler.fill(bytes, at, this.#whole);
        if (this.#assembler.filled < this.#whole) break;
        items.push(this.#assembler.take().subarray(this.#headroom.length));
        own = items.length;
      }
      this.#length = -1;
      isCompressed = this.#flag === COMPRESSED;
    }
    const compressed = isCompressed ? items.pop() : undefined;
    if (this.#headroom.length > 0) this.#move(items, Math.min(own, items.length));
    if (compressed !== undefined) return { items, compressed, rest: bytes.subarray(at) };
    if (error === undefined) return { items };
    this.#isOver = true;
    return { items, error };
  }

  /** Says that the call ended, or broke off, here. */
  finish(): StepResult<Uint8Array> {
    const { partialBytes } = this;
    if (this.#isOver || partialBytes === 0) return { items: [] };
    this.#isOver = true;
    const expected = this.#length < 0 ? undefined : FRAME_HEAD_BYTES + this.#length;
    return { items: [], error: new CallCut(partialBytes, expected) };
  }

  /** Bytes of the message that is being put together, with its headroom. */
  get #whole(): number {
    return this.#headroom.length + this.#length;
  }

  get #received(): number {
    return Math.max(0, this.#assembler.filled - this.#headroom.length);
  }

  #readHead(bytes: Uint8Array, from: number): number {
    let at = from;
    if (this.#headFilled === 0 && at + FRAME_HEAD_BYTES <= bytes.length) {
      this.#flag = bytes[at]!;
      this.#length = lengthAt(bytes, at + 1);
      return at + FRAME_HEAD_BYTES;
    }
    while (this.#headFilled < FRAME_HEAD_BYTES && at < bytes.length) {
      this.#head[this.#headFilled++] = bytes[at++]!;
    }
    if (this.#headFilled < FRAME_HEAD_BYTES) return at;
    this.#flag = this.#head[0]!;
    this.#length = lengthAt(this.#head, 1);
    this.#headFilled = 0;
    return at;
  }

  /** Gives what is wrong with the head that was just read. */
  #check(): Error | undefined {
    const flag = this.#flag;
    if (flag === COMPRESSED && this.#encoding === undefined) {
      const text = "A message says that it is compressed, and no grpc-encoding says how";
      return new GrpcError(STATUS.INTERNAL, text);
    }
    if (flag > COMPRESSED) {
      const text =
        `Frames with flag ${flag} are not taken: there are 0, and ${COMPRESSED} for compressed`;
      return new GrpcError(STATUS.UNIMPLEMENTED, text);
    }
    if (this.#length <= this.#maxMessageBytes) return undefined;
    return new MessageTooLarge(this.#length, this.#maxMessageBytes);
  }

  #makeHeadroom(): void {
    this.#assembler.fill(this.#headroom, 0, this.#whole);
  }

  /** Copies messages to memory of their own, from the one at `from` on. */
  #move(items: Uint8Array[], from: number): void {
    if (from === items.length) return;
    const headroom = this.#headroom.length;
    let size = 0;
    for (let i = from; i < items.length; i++) size += headroom + items[i]!.length;
    const memory = this.#pool?.take(size) ?? new Uint8Array(size);
    const { buffer, byteOffset } = memory;
    this.#given = buffer;
    let at = 0;
    for (let i = from; i < items.length; i++) {
      const item = items[i]!;
      const { length } = item;
      at += headroom;
      memory.set(item, at);
      items[i] = new Uint8Array(buffer, byteOffset + at, length);
      at += length;
    }
  }
}

function lengthAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!) >>> 0;
}

/**
 * Makes the head before a message.
 *
 * @param length of the message in bytes
 * @param flag 0 for a message, 0x80 for the trailers of gRPC-web
 */
export function frameHead(length: number, flag = 0): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(FRAME_HEAD_BYTES);
  head[0] = flag;
  new DataView(head.buffer).setUint32(1, length);
  return head;
}
