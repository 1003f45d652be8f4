/**
 * Which messages can stand under one RRD header.
 *
 * @module
 */
import type { RrdHeader } from "../rrd_header.ts";

/** Whether messages are protobuf as since Rerun 0.23, which has other numbers for the same things. */
export function isNewProtobuf({ serializer, version }: RrdHeader): boolean {
  return serializer === "protobuf" && (version.major > 0 || version.minor >= 23);
}

/** Whether messages of one can stand under the header of the other: of a version readers only warn. */
export function isSameEncoding(a: RrdHeader, b: RrdHeader): boolean {
  return a.serializer === b.serializer && a.compression === b.compression &&
    (a.serializer === "msgpack" || isNewProtobuf(a) === isNewProtobuf(b));
}
