/**
 * Gives as much of Arrow data as its schema takes.
 *
 * @module
 */
import { inflateLz4, inflateLz4Front } from "../lz4/lz4.ts";

/** Bytes that tell how long a schema is, and bytes that most schemas fit in. */
const [LENGTH_BYTES, MOST_SCHEMAS_BYTES] = [8, 4096];
const MAX_SCHEMA_BYTES = 1 << 20;

/** Arrow data as it came. */
export interface PackedArrow {
  readonly bytes: Uint8Array;
  readonly compression: "off" | "lz4";
  readonly uncompressedSize: number;
}

/**
 * The beginning of an Arrow IPC stream, with all of its schema, for which no more is inflated than needed.
 *
 * @throws {InvalidMessage} if what is compressed is damaged
 */
export function schemaFront({ bytes, compression, uncompressedSize }: PackedArrow): Uint8Array {
  if (compression === "off") return bytes;
  const front = inflateLz4Front(bytes, Math.min(MOST_SCHEMAS_BYTES, uncompressedSize));
  const mark = front.length < LENGTH_BYTES ? 0 : new DataView(front.buffer).getUint32(0, true);
  const schemaBytes = mark === 0xffffffff ? new DataView(front.buffer).getUint32(4, true) : mark;
  const needed = LENGTH_BYTES + schemaBytes;
  if (needed <= front.length || front.length === uncompressedSize) return front;
  // If so much is declared, all is inflated, which takes memory only for what is really there.
  if (needed > MAX_SCHEMA_BYTES) return inflateLz4(bytes, uncompressedSize);
  return inflateLz4Front(bytes, Math.min(needed, uncompressedSize));
}
