/**
 * Messages that all readers take alike.
 *
 * @module
 */
import type { RrdHeader } from "../rrd_header.ts";

/** Uncompressed msgpack declares its length twice, and readers differ in which one they take. */
export function withEqualLengths(header: RrdHeader, bytes: Uint8Array): Uint8Array {
  if (header.serializer !== "msgpack" || header.compression !== "off") return bytes;
  if (
    bytes[0] === bytes[4] && bytes[1] === bytes[5] && bytes[2] === bytes[6] && bytes[3] === bytes[7]
  ) return bytes;
  const copy = bytes.slice();
  copy.copyWithin(0, 4, 8);
  return copy;
}
