/**
 * The checksum of RRD footers.
 *
 * @module
 */

const PRIME = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f, 0x165667b1] as const;

/**
 * xxHash32 of bytes, as xxhash.com defines it.
 *
 * @param bytes any number of them
 * @param seed 32 bits
 * @returns 32 bits, unsigned
 */
export function xxh32(bytes: Uint8Array, seed: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  let hash = seed + PRIME[4];
  if (bytes.length >= 16) {
    const lanes = [seed + PRIME[0] + PRIME[1], seed + PRIME[1], seed, seed - PRIME[0]];
    for (; at + 16 <= bytes.length; at += 16) {
      for (let lane = 0; lane < 4; lane++) {
        const mixed = lanes[lane]! + Math.imul(view.getUint32(at + 4 * lane, true), PRIME[1]);
        lanes[lane] = Math.imul(rotate(mixed, 13), PRIME[0]);
      }
    }
    hash = rotate(lanes[0]!, 1) + rotate(lanes[1]!, 7) + rotate(lanes[2]!, 12) +
      rotate(lanes[3]!, 18);
  }
  hash += bytes.length;
  for (; at + 4 <= bytes.length; at += 4) {
    const mixed = hash + Math.imul(view.getUint32(at, true), PRIME[2]);
    hash = Math.imul(rotate(mixed, 17), PRIME[3]);
  }
  for (; at < bytes.length; at++) {
    hash = Math.imul(rotate(hash + Math.imul(bytes[at]!, PRIME[4]), 11), PRIME[0]);
  }
  hash = Math.imul(hash ^ (hash >>> 15), PRIME[1]);
  hash = Math.imul(hash ^ (hash >>> 13), PRIME[2]);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
