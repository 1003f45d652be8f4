/**
 * Under which header messages may stand whose own is damaged or gone.
 *
 * @module
 */
import { decodeRrdHeader, isRrdMagic, RRD_HEADER_BYTES, type RrdHeader } from "../rrd_header.ts";

/** Of the last SDK that wrote it: 0.22.1 msgpack and v0 protobuf, 0.23.4 v1alpha1. */
const GUESSES = [[22, 1, 0, 1], [22, 1, 1, 1], [22, 1, 1, 2], [23, 4, 1, 2]].map((
  [minor, patch, compression, serializer],
) =>
  decodeRrdHeader(
    Uint8Array.of(0x52, 0x52, 0x46, 0x32, 0, minor!, patch!, 0, compression!, serializer!, 0, 0),
  )
);

/**
 * The header that stood before, then those of other encodings.
 *
 * @param current `undefined` where none was read yet
 */
export function guessedHeaders(current: RrdHeader | undefined): RrdHeader[] {
  return [...(current === undefined ? [] : [current]), ...GUESSES];
}

/** The header that begins at a place; `undefined` if none does. */
export function headerAt(bytes: Uint8Array, at: number): RrdHeader | undefined {
  if (at + RRD_HEADER_BYTES > bytes.length || !isRrdMagic(bytes, at)) return undefined;
  try {
    return decodeRrdHeader(bytes.subarray(at));
  } catch {
    return undefined; // only looks like one
  }
}
