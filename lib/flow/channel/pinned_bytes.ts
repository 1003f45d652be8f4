import type { LogMsg } from "../../encoding/log_msg.ts";

/**
 * What the objects of one decoded message take, estimated. It is counted so that a flood of tiny
 * messages stays within the limit too.
 */
export const MESSAGE_OVERHEAD_BYTES = 1024;

/** What messages keep alive: a view keeps the whole of its buffer alive. */
export interface Pinned {
  /** The buffers; those of neighbouring messages are listed once if they are the same. */
  readonly buffers: readonly ArrayBufferLike[];
  /** How many bytes of them are the messages'. */
  readonly used: number;
}

/**
 * The buffers that messages keep alive. Each view is asked for its buffer only once, which is slow
 * on Bun: `for (const view of views) view.buffer` takes 1.5 to 4 µs for each new `Uint8Array(8)`,
 * because its bytes are moved into a buffer then, and 0.2 µs on Deno (see also
 * https://github.com/oven-sh/bun/pull/35802).
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
    // Data that was inflated is in a buffer of its own.
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
   * Weak, and not a `Map`: V8 gives a map a new table after some entries came and went, and the old
   * table refers to the new one. Once the old one is in V8's old generation, it keeps the new one
   * and its buffers alive until a full collection: 7 MB after 500 MB were received.
   *
   * To see it: `deno eval --v8-flags=--expose-gc` of `const m = new Map(), kept = []; for (let i = 0;
   * i < 9999; i++) { if (kept.push(new ArrayBuffer(65536)) > 4) m.delete(kept.shift());
   * m.set(kept.at(-1), 1); if (i === 9) gc(); if (i % 7 === 0) gc({ type: "minor" }); }
   * console.log(Deno.memoryUsage().external)` says 3 to 11 MB, and 1 MB with a `WeakMap`.
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
