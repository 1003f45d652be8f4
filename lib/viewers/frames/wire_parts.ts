/**
 * The parts of a wire: many small frames in one buffer, or one large frame.
 *
 * @module
 */
import { MAX_HEAD_BYTES, OPCODE, writeFrameHead } from "../../comms/websocket/frame_head.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import type { Memory } from "../log/memory.ts";

/** Whole frames of successive messages. */
export abstract class Part {
  #uses = 1;

  /**
   * @param start place of the last message before it, in the order of arrival
   * @param offset bytes of frames before it
   */
  constructor(readonly start: number, readonly offset: number) {}

  /** Place of its last message. */
  abstract readonly end: number;

  /** Bytes of its frames. */
  abstract readonly bytes: number;

  /**
   * Gives the frames after a place.
   *
   * @param seq a place within the part
   */
  abstract from(seq: number): { readonly pieces: Uint8Array[]; readonly messages: number };

  /** Counts a socket that is given its bytes. */
  acquire(): void {
    this.#uses++;
  }

  /** Says that a socket no longer needs the bytes. */
  release(): void {
    if (--this.#uses === 0) this.free();
  }

  /** Says that the wire no longer holds it. */
  drop(): void {
    this.release();
  }

  /** Frees it, once nobody uses it. */
  protected abstract free(): void;
}

/** Bytes of the buffers that are used again. */
export const PART_BYTES: number = 256 * 1024;

/** How many buffers are kept for the next parts. */
const MAX_SPARE = 16;

/** Small frames in one buffer. */
export class SharedPart extends Part {
  readonly #buffer: Uint8Array;
  /**
   * For each message, also those without a frame, how many bytes and frames there are up to its
   * end.
   */
  readonly #offsets: number[] = [];
  readonly #frames: number[] = [];

  /**
   * @param start place before its first message
   * @param offset its place in the whole stream, in bytes
   * @param size of its buffer
   * @param spare free buffers, to which its buffer goes back
   * @param memory counts its bytes
   */
  constructor(
    start: number,
    offset: number,
    size: number,
    readonly spare: Uint8Array[],
    readonly memory: Memory,
  ) {
    super(start, offset);
    this.#buffer = (size === PART_BYTES ? spare.pop() : undefined) ?? new Uint8Array(size);
    memory.add(size);
  }

  get end(): number {
    return this.start + this.#offsets.length;
  }

  get bytes(): number {
    return this.#offsets.at(-1) ?? 0;
  }

  /** Whether so many bytes may be added. */
  hasRoom(bytes: number): boolean {
    return this.bytes + bytes <= this.#buffer.length;
  }

  /** Adds a message as a frame. */
  append(head: Uint8Array, tail: Uint8Array): void {
    const length = head.length + tail.length;
    const at = writeFrameHead(this.#buffer, this.bytes, OPCODE.binary, length);
    this.#buffer.set(head, at);
    this.#buffer.set(tail, at + head.length);
    this.#note(at + length, 1);
  }

  /** Adds a message that no frame is made of. */
  pass(): void {
    this.#note(this.bytes, 0);
  }

  from(seq: number): { pieces: Uint8Array[]; messages: number } {
    const at = this.#offsets[seq - this.start - 1] ?? 0;
    const frames = this.#frames[seq - this.start - 1] ?? 0;
    const messages = (this.#frames.at(-1) ?? 0) - frames;
    return { pieces: messages === 0 ? [] : [this.#buffer.subarray(at, this.bytes)], messages };
  }

  #note(offset: number, frames: 0 | 1): void {
    this.#frames.push((this.#frames.at(-1) ?? 0) + frames);
    this.#offsets.push(offset);
  }

  protected free(): void {
    const { length } = this.#buffer;
    this.memory.add(-length);
    if (length === PART_BYTES && this.spare.length < MAX_SPARE) this.spare.push(this.#buffer);
  }
}

/** One frame with the message's own Arrow data. */
export class LargePart extends Part {
  readonly end: number;
  readonly bytes: number;
  readonly #head: Uint8Array;
  readonly #tail: Uint8Array;
  readonly #ownBytes: number;
  #sockets = 0;

  /**
   * @param start before it
   * @param offset its place in the whole stream, in bytes
   * @param head copied
   * @param msg of the message
   * @param tail its Arrow data
   * @param memory counts its bytes, only once however many hold the message
   */
  constructor(
    start: number,
    offset: number,
    head: Uint8Array,
    readonly msg: LogMsg,
    tail: Uint8Array,
    readonly memory: Memory,
  ) {
    super(start, offset);
    const bytes = new Uint8Array(MAX_HEAD_BYTES + head.length);
    const at = writeFrameHead(bytes, 0, OPCODE.binary, head.length + tail.length);
    bytes.set(head, at);
    const length = at + head.length;
    this.end = start + 1;
    this.bytes = length + tail.length;
    this.#head = bytes.subarray(0, length);
    this.#tail = tail;
    memory.acquire(msg, "form");
    // Not if the data was inflated for this, and so is not the message's own.
    const isShared = msg.kind === "ArrowMsg" &&
      (tail.buffer === msg.arrow.bytes.buffer || tail.buffer === msg.encoded.bytes.buffer);
    this.#ownBytes = isShared ? 0 : tail.buffer.byteLength;
    memory.add(this.#ownBytes);
  }

  from(): { pieces: Uint8Array[]; messages: number } {
    return { pieces: [this.#head, this.#tail], messages: 1 };
  }

  override acquire(): void {
    super.acquire();
    if (this.#sockets++ === 0) this.#pin(1);
  }

  override release(): void {
    if (--this.#sockets === 0) this.#pin(-1);
    super.release();
  }

  override drop(): void {
    super.release();
  }

  protected free(): void {
    this.memory.add(-this.#ownBytes);
    this.memory.release(this.msg, "form");
  }

  #pin(by: 1 | -1): void {
    this.memory.pinned += by * this.#ownBytes;
    if (by > 0) this.memory.acquire(this.msg, "viewer");
    else this.memory.release(this.msg, "viewer");
  }
}
