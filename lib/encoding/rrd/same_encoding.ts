/**
 * Tells which messages can share one RRD header.
 *
 * @module
 */
import type { RrdHeader } from "../rrd_header.ts";

/**
 * Whether messages follow the protobuf definitions of Rerun 0.23 and later, which number things
 * differently.
 */
export function isNewProtobuf({ serializer, version }: RrdHeader): boolean {
  return serializer === "protobuf" && (version.major > 0 || version.minor >= 23);
}

/**
 * Whether messages of one header can be written under the other: readers only warn of another
 * version.
 */
export function isSameEncoding(a: RrdHeader, b: RrdHeader): boolean {
  return a.serializer === b.serializer && a.compression === b.compression &&
    (a.serializer === "msgpack" || isNewProtobuf(a) === isNewProtobuf(b));
}
