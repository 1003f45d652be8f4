/**
 * Guesses the header of messages whose own is damaged or missing.
 *
 * @module
 */
import { decodeRrdHeader, isRrdMagic, RRD_HEADER_BYTES, type RrdHeader } from "../rrd_header.ts";

/**
 * A header for each encoding, of the last SDK that wrote it: 0.22.1 for msgpack and v0 protobuf,
 * 0.23.4 for v1alpha1.
 */
const GUESSES = [[22, 1, 0, 1], [22, 1, 1, 1], [22, 1, 1, 2], [23, 4, 1, 2]].map((
  [minor, patch, compression, serializer],
) =>
  decodeRrdHeader(
    Uint8Array.of(0x52, 0x52, 0x46, 0x32, 0, minor!, patch!, 0, compression!, serializer!, 0, 0),
  )
);

/**
 * The headers to try: the present one, then those of other encodings.
 *
 * @param current the present header; `undefined` if none was read yet
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
