/**
 * Compresses or inflates msgpack messages, whose contents stay as they came.
 *
 * @module
 */
import { inflateLz4 } from "../lz4/lz4.ts";
import { compressLz4, deflateBlock, deflatedBound } from "../lz4/lz4_deflate.ts";
import { decodeRrdHeader, type RrdHeader } from "../rrd_header.ts";

/**
 * Compresses or inflates a msgpack message.
 *
 * @param bytes the message with its own header
 * @param to the compression that it gets
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

/** Headers that were made, so that the same header always gives the same object. */
const headers = new WeakMap<RrdHeader, RrdHeader>();

/** Whether messages under this header can be compressed; all others stay as they are. */
export function isCompressible({ serializer, compression }: RrdHeader): boolean {
  return serializer === "msgpack" && compression === "off";
}

/** The header for the same messages, compressed. */
export function compressedHeader(header: RrdHeader): RrdHeader {
  let lz4 = headers.get(header);
  if (lz4 === undefined) {
    const bytes = header.bytes.slice();
    bytes[8] = 1;
    lz4 = decodeRrdHeader(bytes);
    headers.set(header, lz4);
  }
  return lz4;
}

/**
 * Compresses each message by itself.
 *
 * @param messages whole ones, as they came, with both lengths equal
 */
export function compressMessages(messages: Uint8Array): Uint8Array<ArrayBuffer> {
  const view = new DataView(messages.buffer, messages.byteOffset, messages.length);
  let bound = 0;
  for (let at = 0; at < messages.length;) {
    const length = view.getUint32(at, true);
    bound += 8 + deflatedBound(length);
    at += 8 + length;
  }
  const out = new Uint8Array(bound);
  const sizes = new DataView(out.buffer);
  let end = 0;
  for (let at = 0; at < messages.length;) {
    const length = view.getUint32(at, true);
    const start = end + 8;
    end = deflateBlock(messages.subarray(at + 8, at + 8 + length), out, start);
    sizes.setUint32(start - 8, end - start, true);
    sizes.setUint32(start - 4, length, true);
    at += 8 + length;
  }
  return out.subarray(0, end);
}
