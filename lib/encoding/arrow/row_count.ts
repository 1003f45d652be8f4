/**
 * Tells how many rows a chunk has, without looking at its data.
 *
 * @module
 */
import type { ArrowMsg } from "../arrow_msg.ts";
import { inflateLz4Front } from "../lz4/lz4.ts";
import { recordBatch } from "./index_columns.ts";

/**
 * Bytes that are inflated: what comes before the data of a chunk is shorter, except for schemas of
 * hundreds of columns.
 */
const FRONT_BYTES = 16 * 1024;

/**
 * The rows of a chunk's first record batch; Rerun writes one.
 *
 * @param msg any chunk
 * @throws {InvalidMessage} if its Arrow data is damaged, or its metadata longer than real ones
 */
export function rowCount({ arrow: { bytes, compression, uncompressedSize } }: ArrowMsg): number {
  const front = compression === "off"
    ? bytes
    : inflateLz4Front(bytes, Math.min(FRONT_BYTES, uncompressedSize));
  return recordBatch(front).header.length(0);
}
