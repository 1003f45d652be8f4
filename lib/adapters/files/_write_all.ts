/**
 * Writes that leave nothing out: systems may write less than they are asked to.
 *
 * @module
 */
import { plural } from "../../base/plural.ts";

/**
 * Writes again and again until all bytes are written.
 *
 * @param bytes what to write
 * @param write writes the beginning of what it is given and tells how many bytes that were
 * @throws {Error} if it stands still, and what `write` throws
 */
export async function writeAll(
  bytes: Uint8Array,
  write: (rest: Uint8Array) => Promise<number>,
): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    const length = await write(bytes.subarray(written));
    if (length < 1) {
      throw new Error(
        `The file takes no more: ${written} of ${plural(bytes.length, "byte")} written`,
      );
    }
    written += length;
  }
}
