/**
 * What the wire is made of: many small frames in one buffer, or a large one.
 *
 * @module
 */
import { MAX_HEAD_BYTES, OPCODE, writeFrameHead } from "../../comms/websocket/frame_head.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import type { Memory } from "../history/item.ts";

/** A place between two messages; all of it counts up. */
export interface Place {
  /** Bytes of frames before it. */
  readonly offset: number;
  /** The last message before it, in the order of arrival. */
  readonly seq: number;
  /** Messages before it. */
  readonly messages: number;
  /** Their encoded bytes. */
  readonly bytes: number;
  /** Those that frames were made of. */
  readonly frames: number;
}

/** Bytes of whole frames. */
export abstract class Part {
  #uses = 1;

  /**
   * @param start before its first message
   * @param end behind its last one
   */
  constructor(readonly start: Place, public end: Place) {}

  /** Its bytes from a place on, which is its start where it can't be divided. */
  abstract from(offset: number): Uint8Array[];

  /** A socket is given its bytes. */
  use(): void {
    this.#uses++;
  }

  /** The socket needs them no more. */
  unuse(): void {
    if (--this.#uses === 0) this.free();
  }

  /** The wire has it no more. */
  drop(): void {
    this.unuse();
  }

  /** Nobody uses it. */
  protected abstract free(): void;
}

/** Of the buffers that are used again. */
export const PART_BYTES: number = 256 * 1024;

/** Buffers that are kept for the next parts. */
const MAX_SPARE = 16;

/** Small frames. */
export class SharedPart extends Part {
  readonly #buffer: Uint8Array;
  #used = 0;

  /**
   * @param start before its first message
   * @param size of its buffer
   * @param spare buffers that are free, and get this one back
   * @param memory counts it
   */
  constructor(
    start: Place,
    size: number,
    readonly spare: Uint8Array[],
    readonly memory: Memory,
  ) {
    super(start, start);
    this.#buffer = (size === PART_BYTES ? spare.pop() : undefined) ?? new Uint8Array(size);
    memory.add(size);
  }

  /** Whether so many bytes may be added. */
  hasRoom(bytes: number): boolean {
    return this.#used + bytes <= this.#buffer.length;
  }

  /** Adds a message as a frame. */
  append(end: Place, head: Uint8Array, tail: Uint8Array): void {
    const before = this.#used;
    const length = head.length + tail.length;
    const at = writeFrameHead(this.#buffer, before, OPCODE.binary, length);
    this.#buffer.set(head, at);
    this.#buffer.set(tail, at + head.length);
    this.#used = at + length;
    this.end = { ...end, offset: end.offset + this.#used - before, frames: end.frames + 1 };
  }

  from(offset: number): Uint8Array[] {
    return [this.#buffer.subarray(offset - this.start.offset, this.#used)];
  }

  protected free(): void {
    const { length } = this.#buffer;
    this.memory.add(-length);
    if (length === PART_BYTES && this.spare.length < MAX_SPARE) this.spare.push(this.#buffer);
  }
}

/** One frame with the message's own Arrow data. */
export class LargePart extends Part {
  readonly #head: Uint8Array;
  readonly #tail: Uint8Array;
  readonly #ownBytes: number;

  /**
   * @param start before it
   * @param end behind it, but for the frame
   * @param head copied
   * @param msg of the message
   * @param tail its Arrow data
   * @param memory counts it, once with all else that holds the message
   */
  constructor(
    start: Place,
    end: Place,
    head: Uint8Array,
    readonly msg: LogMsg,
    tail: Uint8Array,
    readonly memory: Memory,
  ) {
    const bytes = new Uint8Array(MAX_HEAD_BYTES + head.length);
    const at = writeFrameHead(bytes, 0, OPCODE.binary, head.length + tail.length);
    bytes.set(head, at);
    const length = at + head.length;
    super(start, { ...end, offset: end.offset + length + tail.length, frames: end.frames + 1 });
    this.#head = bytes.subarray(0, length);
    this.#tail = tail;
    memory.use(msg);
    // Inflated data, which the message does not have.
    const isShared = msg.kind === "ArrowMsg" &&
      (tail.buffer === msg.arrow.bytes.buffer || tail.buffer === msg.encoded.bytes.buffer);
    this.#ownBytes = isShared ? 0 : tail.buffer.byteLength;
    memory.add(this.#ownBytes);
  }

  from(): Uint8Array[] {
    return [this.#head, this.#tail];
  }

  protected free(): void {
    this.memory.add(-this.#ownBytes);
    this.memory.unuse(this.msg);
  }
}
