/**
 * What the history is made of, and the memory that it keeps alive.
 *
 * @module
 */
import { MESSAGE_OVERHEAD_BYTES, pinnedBy } from "../../flow/channel/pinned_bytes.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";

/** One message or several that came one after the other. */
export interface Item {
  /** Place of the first in the order of arrival; counts up over all messages. */
  readonly seq: number;
  /** Place of the last. */
  readonly lastSeq: number;
  readonly messages: number;
  /** Encoded bytes. */
  readonly bytes: number;
  /** Whether ordinary pressure spares it. */
  isProtected: boolean;
  /** Whether history has it no more. */
  isGone: boolean;
  /** Those from a place on. */
  from(seq: number): readonly LogMsg[];
  /** History lets go of it. */
  release(): void;
}

/** A buffer that messages are views on; counted once, however many there are. */
interface Buffer {
  readonly bytes: number;
  uses: number;
}

/** Counts what messages keep alive: each buffer once, and what objects take. */
export class Memory {
  /** Bytes kept alive. */
  bytes = 0;
  /** The place of the newest message. */
  lastSeq = 0;
  readonly #buffers = new WeakMap<ArrayBufferLike, Buffer>();

  /** Adds what has no buffer that others could share. */
  add(bytes: number): void {
    this.bytes += bytes;
  }

  /** Uses the buffers of a message; the first use counts. */
  use(msg: LogMsg): void {
    for (const each of pinnedBy([msg]).buffers) {
      const buffer = this.#buffer(each);
      if (buffer.uses++ === 0) this.bytes += buffer.bytes;
    }
  }

  /** The same use has ended. */
  unuse(msg: LogMsg): void {
    for (const each of pinnedBy([msg]).buffers) {
      const buffer = this.#buffer(each);
      if (--buffer.uses === 0) this.bytes -= buffer.bytes;
    }
  }

  #buffer(buffer: ArrayBufferLike): Buffer {
    let known = this.#buffers.get(buffer);
    if (known === undefined) {
      this.#buffers.set(buffer, known = { bytes: buffer.byteLength, uses: 0 });
    }
    return known;
  }
}

/** One message, in the history, in queues of viewers, or both. */
export class Entry implements Item {
  isProtected = false;
  isGone = false;
  readonly messages = 1;
  readonly bytes: number;
  #holders = 0;
  /** Lists keep their places for a while after they are gone, and must keep no message alive. */
  #msg: LogMsg | undefined;
  readonly #memory: Memory;

  /**
   * @param msg what is kept
   * @param seq its place
   * @param memory counts what it takes once it is held
   * @param staticKey newer static data with the same takes its place; `undefined` for all else
   */
  constructor(
    msg: LogMsg,
    readonly seq: number,
    memory: Memory,
    readonly staticKey?: string,
  ) {
    this.bytes = msg.encoded.bytes.length;
    this.#msg = msg;
    this.#memory = memory;
  }

  /** What is kept, while anybody holds it. */
  get msg(): LogMsg {
    if (this.#msg === undefined) throw new TypeError("Nobody holds this message any more");
    return this.#msg;
  }

  get lastSeq(): number {
    return this.seq;
  }

  from(): readonly LogMsg[] {
    return this.#msg === undefined ? [] : [this.#msg];
  }

  /** History or a queue holds it. */
  hold(): void {
    if (this.#holders++ > 0) return;
    this.#memory.add(MESSAGE_OVERHEAD_BYTES);
    this.#memory.use(this.msg);
  }

  release(): void {
    if (--this.#holders > 0) return;
    this.#memory.add(-MESSAGE_OVERHEAD_BYTES);
    this.#memory.unuse(this.msg);
    this.#msg = undefined;
  }
}
