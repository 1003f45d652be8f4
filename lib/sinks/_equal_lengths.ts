/**
 * Messages that all readers take alike.
 *
 * @module
 */
import type { RrdHeader } from "../encoding/rrd_header.ts";

/** Uncompressed msgpack declares its length twice, and readers differ in which one they take. */
export function withEqualLengths(header: RrdHeader, bytes: Uint8Array): Uint8Array {
  if (header.serializer !== "msgpack" || header.compression !== "off") return bytes;
  let equal = true;
  for (let i = 0; i < 4; i++) equal &&= bytes[i] === bytes[i + 4];
  if (equal) return bytes;
  const copy = bytes.slice();
  copy.copyWithin(0, 4, 8);
  return copy;
}
