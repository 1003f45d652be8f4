import type { LogMsg } from "../../encoding/log_msg.ts";

/**
 * About what the objects of one decoded message take: counted, so that a flood of tiny messages
 * stays within the limit too.
 */
export const MESSAGE_OVERHEAD_BYTES = 1024;

/** What messages keep alive: a view keeps the whole of its buffer. */
export interface Pinned {
  /** The distinct buffers, of neighbours at least. */
  readonly buffers: readonly ArrayBufferLike[];
  /** How many bytes of them are the messages'. */
  readonly used: number;
}

/**
 * The buffers that messages keep alive, in one pass: asking a view for its buffer is slow on Bun, where
 * `for (const view of views) view.buffer` takes 1.5 µs for each new view of 8 bytes, and 0.15 µs on Deno.
 */
export function pinnedBy(msgs: readonly LogMsg[]): Pinned {
  const buffers: ArrayBufferLike[] = [];
  let last: ArrayBufferLike | undefined;
  let used = 0;
  for (const msg of msgs) {
    const { bytes } = msg.encoded;
    const { buffer } = bytes;
    if (buffer !== last) buffers.push(last = buffer);
    used += bytes.length;
    if (msg.kind !== "ArrowMsg") continue;
    const arrow = msg.arrow.bytes;
    const own = arrow.buffer;
    if (own === buffer) continue;
    // Inflated data is a buffer of its own.
    buffers.push(last = own);
    used += arrow.length;
  }
  return { buffers, used };
}

/** Whether messages use less than half of the buffers that they keep alive. */
export function isWasteful({ buffers, used }: Pinned): boolean {
  let pinned = 0;
  for (const buffer of buffers) pinned += buffer.byteLength;
  return used * 2 < pinned;
}

/** Counts the bytes of buffers that are in use, each once however often it is used. */
export class PinnedBytes {
  /**
   * Not a map: V8's make a new table after a few entries came and went, and the old one, once it is in
   * old memory, keeps the next and its buffers alive until a full collection, 7 MB for 500 received.
   */
  readonly #uses = new WeakMap<ArrayBufferLike, number>();

  /** Adds a use of each buffer; returns how many bytes are pinned in addition. */
  add(buffers: readonly ArrayBufferLike[]): number {
    let bytes = 0;
    for (const buffer of buffers) {
      const uses = this.#uses.get(buffer) ?? 0;
      if (uses === 0) bytes += buffer.byteLength;
      this.#uses.set(buffer, uses + 1);
    }
    return bytes;
  }

  /** Removes a use of each buffer; returns how many bytes are pinned no more. */
  remove(buffers: readonly ArrayBufferLike[]): number {
    let bytes = 0;
    for (const buffer of buffers) {
      const uses = this.#uses.get(buffer) ?? 0;
      if (uses > 1) this.#uses.set(buffer, uses - 1);
      else if (this.#uses.delete(buffer)) bytes += buffer.byteLength;
    }
    return bytes;
  }
}
