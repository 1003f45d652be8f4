import type { LogMsg } from "../log_msg.ts";

/**
 * About what the objects of one decoded message take: counted, so that a flood of tiny messages
 * stays within the limit too.
 */
export const MESSAGE_OVERHEAD_BYTES = 1024;

/** The distinct buffers that messages keep alive: a view keeps the whole of its buffer. */
export function buffersOf(msgs: readonly LogMsg[]): ArrayBufferLike[] {
  const buffers: ArrayBufferLike[] = [];
  for (const msg of msgs) {
    const { buffer } = msg.encoded.bytes;
    if (buffers.at(-1) !== buffer) buffers.push(buffer);
    // Inflated data is a buffer of its own.
    if (msg.kind === "ArrowMsg" && msg.arrow.bytes.buffer !== buffer) {
      buffers.push(msg.arrow.bytes.buffer);
    }
  }
  return buffers;
}

/** Counts the bytes of buffers that are in use, each once however often it is used. */
export class PinnedBytes {
  readonly #uses = new Map<ArrayBufferLike, number>();

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
