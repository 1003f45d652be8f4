/**
 * Numbers in little-endian order, as protocols and files have them.
 *
 * @module
 */

/** The 32-bit number at `at`, which must be inside. */
export function u32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>>
    0;
}
