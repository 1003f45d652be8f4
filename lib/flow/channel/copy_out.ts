/**
 * Copies messages out of the buffers they are views on.
 *
 * @module
 */
import { ArrowMsg } from "../../encoding/arrow_msg.ts";
import { isReused } from "../../memory/buffer_pool.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";

/**
 * Copies messages onto one buffer of just their size, so that they keep no read buffer alive.
 *
 * @param msgs messages that will be kept for a while
 */
export function copyOut(msgs: readonly LogMsg[]): LogMsg[] {
  let size = 0;
  for (const msg of msgs) size += msg.encoded.bytes.length;
  const buffer = new Uint8Array(size);
  let at = 0;
  return msgs.map((msg) => {
    const from = msg.encoded.bytes;
    const bytes = buffer.subarray(at, at += from.length);
    bytes.set(from);
    const encoded = { ...msg.encoded, bytes };
    if (msg.kind !== "ArrowMsg") return { ...msg, encoded };
    const copy = new ArrowMsg(
      msg.storeId,
      msg.chunkId,
      msg.timepointMax,
      msg.isStatic,
      { ...msg.arrow, bytes: moved(msg.arrow.bytes, from, bytes) },
      encoded,
    );
    copy.announce(msg.applicationId);
    return copy;
  });
}

/**
 * Gives messages that may be kept: copies if the memory of one of them will be reused, else these
 * themselves.
 */
export function keepable(msgs: readonly LogMsg[]): readonly LogMsg[] {
  return msgs.some(({ encoded }) => isReused(encoded.bytes)) ? copyOut(msgs) : msgs;
}

/** The view at the same place in a copy; inflated data, which has a buffer of its own, as it is. */
function moved(view: Uint8Array, from: Uint8Array, to: Uint8Array): Uint8Array {
  if (view.buffer !== from.buffer) {
    return view.length * 2 < view.buffer.byteLength ? view.slice() : view;
  }
  const start = view.byteOffset - from.byteOffset;
  return to.subarray(start, start + view.length);
}
