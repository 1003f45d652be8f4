/**
 * What a file needs around messages that are written as they came.
 *
 * @module
 */
import { checkGiven } from "../../base/check_arguments.ts";
import type { RrdHeader } from "../rrd_header.ts";
import { MESSAGE_HEADER_BYTES } from "./rrd_message.ts";

/**
 * The marker that says an RRD stream is complete.
 *
 * @param header of the stream that ends
 * @returns 8 (msgpack) or 16 (protobuf) zero bytes
 *
 * @example
 * ```ts
 * import { decodeRrdHeader, endMarker } from "@rerelay/server/encoding";
 * import { assertEquals } from "@std/assert";
 *
 * const header = decodeRrdHeader(Uint8Array.of(0x52, 0x52, 0x46, 0x32, 0, 22, 1, 0, 0, 1, 0, 0));
 * assertEquals(endMarker(header), new Uint8Array(8));
 * ```
 */
export function endMarker(header: RrdHeader): Uint8Array {
  const bytes = MESSAGE_HEADER_BYTES[header?.serializer];
  checkGiven("endMarker", "the header of a stream", bytes !== undefined, header);
  return new Uint8Array(bytes);
}

/**
 * Whether streams of that time end with the marker: Rerun's readers before 0.19 fail on it.
 *
 * @param header of the stream
 *
 * @example
 * ```ts
 * import { decodeRrdHeader, endsWithMarker } from "@rerelay/server/encoding";
 * import { assertEquals } from "@std/assert";
 *
 * const header = decodeRrdHeader(Uint8Array.of(0x52, 0x52, 0x46, 0x32, 0, 18, 2, 0, 0, 1, 0, 0));
 * assertEquals(endsWithMarker(header), false);
 * ```
 */
export function endsWithMarker(header: RrdHeader): boolean {
  const isGiven = typeof header?.version?.minor === "number";
  checkGiven("endsWithMarker", "the header of a stream", isGiven, header);
  const { major, minor } = header.version;
  return major > 0 || minor >= 19;
}
