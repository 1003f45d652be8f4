/**
 * Writes bincode 1 with `DefaultOptions`: little endian, variable integers, fields in their order:
 * https://docs.rs/bincode/1.3.3/bincode/config/struct.DefaultOptions.html
 *
 * @module
 */

const ENCODER = new TextEncoder();
/** The largest number that is written as a u32. */
const MAX_U32 = 0xffff_ffff;
/**
 * Up to so many characters a loop is faster than the runtime's encoder. Such lengths take one byte.
 */
const SHORT = 64;

/** Writes values one after another. */
export class BincodeWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  /** @param capacity bytes to begin with; it grows */
  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** One raw byte, as `u8` and `bool` are written. */
  u8(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
    return this;
  }

  /** A `bool`. */
  bool(value: boolean): this {
    return this.u8(value ? 1 : 0);
  }

  /** An unsigned integer in its shortest form: lengths, variant numbers, `u64`. */
  uvar(value: number | bigint): this {
    this.#reserve(9);
    if (value <= 250) return this.u8(Number(value));
    if (value <= 0xffff) {
      this.#bytes[this.#length] = 0xfb;
      this.#view.setUint16(this.#length + 1, Number(value), true);
      this.#length += 3;
    } else if (value <= MAX_U32) {
      this.#bytes[this.#length] = 0xfc;
      this.#view.setUint32(this.#length + 1, Number(value), true);
      this.#length += 5;
    } else {
      this.#bytes[this.#length] = 0xfd;
      this.#view.setBigUint64(this.#length + 1, BigInt(value), true);
      this.#length += 9;
    }
    return this;
  }

  /** A signed 64-bit integer: zigzag, then as an unsigned one. */
  ivar(value: bigint): this {
    return this.uvar(BigInt.asUintN(64, (value << 1n) ^ (value >> 63n)));
  }

  /** A text: its length in UTF-8 bytes, and these. */
  str(text: string): this {
    if (text.length <= SHORT && this.#ascii(text)) return this;
    const bytes = ENCODER.encode(text);
    this.uvar(bytes.length);
    return this.raw(bytes);
  }

  /** Bytes as they are, without a length. */
  raw(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  /** Length of what was written, in bytes. */
  get length(): number {
    return this.#length;
  }

  /** A view of what was written, valid until more is written. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /**
   * Copies what was written into a buffer of exactly its size.
   *
   * @param tail bytes that come last, with no length before them
   */
  finish(tail: Uint8Array = new Uint8Array()): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#length + tail.length);
    bytes.set(this.#bytes.subarray(0, this.#length));
    bytes.set(tail, this.#length);
    return bytes;
  }

  /** Forgets what was written, so that the writer can be used again. */
  clear(): this {
    this.#length = 0;
    return this;
  }

  /** Writes a short text, if each of its characters is one byte. */
  #ascii(text: string): boolean {
    this.#reserve(1 + text.length);
    const start = this.#length + 1;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return false;
      this.#bytes[start + i] = code;
    }
    this.#bytes[this.#length] = text.length;
    this.#length = start + text.length;
    return true;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
