/**
 * Msgpack messages under a header of the other compression; what is inside stays as it came.
 *
 * @module
 */
import { inflateLz4 } from "../lz4/lz4.ts";
import { compressLz4 } from "../lz4/lz4_deflate.ts";
import type { RrdHeader } from "../rrd_header.ts";

/**
 * Compresses or inflates a msgpack message.
 *
 * @param bytes the message with its own header
 * @param to what it is to become, from the other
 * @throws {InvalidMessage} if it is damaged
 */
export function recompress(bytes: Uint8Array, to: RrdHeader["compression"]): Uint8Array {
  const payload = bytes.subarray(8);
  const inflatedBytes = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true);
  const stored = to === "lz4" ? compressLz4(payload) : inflateLz4(payload, inflatedBytes);
  const message = new Uint8Array(8 + stored.length);
  const view = new DataView(message.buffer);
  view.setUint32(0, stored.length, true);
  view.setUint32(4, inflatedBytes, true);
  message.set(stored, 8);
  return message;
}
