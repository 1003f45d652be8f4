/**
 * xxHash32, as xxhash.com defines it: the checksum of RRD footers.
 *
 * @module
 */
const [P1, P2, P3, P4, P5] = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f, 0x165667b1] as const;
const STRIPE = 16;

/** The hash of bytes that come piece by piece. */
export class Xxh32 {
  readonly #seed: number;
  #a: number;
  #b: number;
  #c: number;
  #d: number;
  readonly #rest = new Uint8Array(STRIPE);
  #restBytes = 0;
  #length = 0;

  /** @param seed 32 bits */
  constructor(seed: number) {
    this.#seed = seed;
    this.#a = (seed + P1 + P2) | 0;
    this.#b = (seed + P2) | 0;
    this.#c = seed | 0;
    this.#d = (seed - P1) | 0;
  }

  /** Takes the next bytes. */
  update(bytes: Uint8Array): void {
    this.#length += bytes.length;
    let at = 0;
    if (this.#restBytes > 0) {
      at = Math.min(STRIPE - this.#restBytes, bytes.length);
      this.#rest.set(bytes.subarray(0, at), this.#restBytes);
      this.#restBytes += at;
      if (this.#restBytes < STRIPE) return;
      this.#stripes(this.#rest, 0, STRIPE);
    }
    const end = at + Math.floor((bytes.length - at) / STRIPE) * STRIPE;
    this.#stripes(bytes, at, end);
    this.#rest.set(bytes.subarray(end));
    this.#restBytes = bytes.length - end;
  }

  /** Another one that has taken the same bytes. */
  copy(): Xxh32 {
    const other = new Xxh32(this.#seed);
    [other.#a, other.#b, other.#c, other.#d] = [this.#a, this.#b, this.#c, this.#d];
    other.#rest.set(this.#rest);
    [other.#restBytes, other.#length] = [this.#restBytes, this.#length];
    return other;
  }

  /** The hash of all bytes so far: 32 bits, unsigned. */
  get value(): number {
    const view = new DataView(this.#rest.buffer);
    let hash = this.#length < STRIPE
      ? (this.#seed + P5) | 0
      : (rotate(this.#a, 1) + rotate(this.#b, 7) + rotate(this.#c, 12) + rotate(this.#d, 18)) | 0;
    // The definition takes the length modulo 2 ** 32.
    hash = (hash + (this.#length % 2 ** 32)) | 0;
    let at = 0;
    for (; at + 4 <= this.#restBytes; at += 4) {
      hash = Math.imul(rotate((hash + Math.imul(view.getUint32(at, true), P3)) | 0, 17), P4);
    }
    for (; at < this.#restBytes; at++) {
      hash = Math.imul(rotate((hash + Math.imul(this.#rest[at]!, P5)) | 0, 11), P1);
    }
    hash = Math.imul(hash ^ (hash >>> 15), P2);
    hash = Math.imul(hash ^ (hash >>> 13), P3);
    return (hash ^ (hash >>> 16)) >>> 0;
  }

  #stripes(bytes: Uint8Array, start: number, end: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    let [a, b, c, d] = [this.#a, this.#b, this.#c, this.#d];
    for (let at = start; at < end; at += STRIPE) {
      a = (a + Math.imul(view.getInt32(at, true), P2)) | 0;
      a = Math.imul((a << 13) | (a >>> 19), P1);
      b = (b + Math.imul(view.getInt32(at + 4, true), P2)) | 0;
      b = Math.imul((b << 13) | (b >>> 19), P1);
      c = (c + Math.imul(view.getInt32(at + 8, true), P2)) | 0;
      c = Math.imul((c << 13) | (c >>> 19), P1);
      d = (d + Math.imul(view.getInt32(at + 12, true), P2)) | 0;
      d = Math.imul((d << 13) | (d >>> 19), P1);
    }
    [this.#a, this.#b, this.#c, this.#d] = [a, b, c, d];
  }
}

/**
 * The hash of bytes.
 *
 * @param bytes any number of them
 * @param seed 32 bits
 * @returns 32 bits, unsigned
 */
export function xxh32(bytes: Uint8Array, seed: number): number {
  const hash = new Xxh32(seed);
  hash.update(bytes);
  return hash.value;
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
