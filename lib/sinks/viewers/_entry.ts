/**
 * A message that is kept for viewers, and the memory it keeps alive.
 *
 * @module
 */
import { buffersOf, MESSAGE_OVERHEAD_BYTES } from "../../flow/pinned_bytes.ts";
import type { LogMsg } from "../../log_msg.ts";

/** A buffer that messages are views on; counted once, however many there are. */
interface Slab {
  readonly bytes: number;
  uses: number;
}

/** One message with its place in the order of arrival. */
export interface Entry {
  readonly msg: LogMsg;
  /** Counts up over all messages. */
  readonly seq: number;
  /** Encoded bytes. */
  readonly size: number;
  readonly slabs: readonly Slab[];
  /** Newer static data with the same key takes its place; `undefined` for what has a time. */
  readonly staticKey: string | undefined;
  /** History and queues that hold it. */
  uses: number;
  /** Whether ordinary pressure spares it. */
  isProtected: boolean;
  /** Whether history has it no more. */
  isGone: boolean;
}

/** Counts what entries keep alive: each buffer once, and what objects take. */
export class Memory {
  /** Bytes kept alive. */
  bytes = 0;
  readonly #slabs = new WeakMap<ArrayBufferLike, Slab>();
  #seq = 0;

  /** The place of the newest message. */
  get lastSeq(): number {
    return this.#seq;
  }

  /** Wraps a message; it counts once it is held. */
  entry(msg: LogMsg, staticKey?: string): Entry {
    return {
      msg,
      seq: ++this.#seq,
      size: msg.encoded.bytes.length,
      slabs: buffersOf([msg]).map((buffer) => this.#slab(buffer)),
      staticKey,
      uses: 0,
      isProtected: false,
      isGone: false,
    };
  }

  /** History or a queue holds it. */
  hold(entry: Entry): void {
    if (entry.uses++ > 0) return;
    this.bytes += MESSAGE_OVERHEAD_BYTES;
    for (const slab of entry.slabs) if (slab.uses++ === 0) this.bytes += slab.bytes;
  }

  /** History or a queue lets go of it. */
  release(entry: Entry): void {
    if (--entry.uses > 0) return;
    this.bytes -= MESSAGE_OVERHEAD_BYTES;
    for (const slab of entry.slabs) if (--slab.uses === 0) this.bytes -= slab.bytes;
  }

  #slab(buffer: ArrayBufferLike): Slab {
    let slab = this.#slabs.get(buffer);
    if (slab === undefined) this.#slabs.set(buffer, slab = { bytes: buffer.byteLength, uses: 0 });
    return slab;
  }
}
