import type { BufferPool } from "./flow/buffer_pool.ts";

/** Packets that lie whole in a read need none: most of a small kind do. */
const NOTHING: Uint8Array<ArrayBuffer> = new Uint8Array(0);
/** Where growing begins: more than the small packets of SDKs, and not worth an attacker's while. */
const FIRST_BYTES = 64 * 1024;
/** Reading into the item itself is worth a system call of its own from so many bytes on. */
const LEAST_ROOM = 32 * 1024;
/** As much as a peer that has sent packets of this size before is believed. */
const TRUSTED_BYTES = 4 * 1024 * 1024;

/**
 * Puts together bytes that arrive in pieces, taking memory as they come and never on their word.
 *
 * The first allocation is as large as the largest item before it (64 KiB to 4 MiB), then it doubles:
 * so of a steady stream each straddling item is copied once.
 */
export class Assembler {
  #buffer = NOTHING;
  #filled = 0;
  #trusted = FIRST_BYTES;
  readonly #pool: BufferPool | undefined;
  /** Handed over and not settled. */
  #given = NOTHING;

  /** @param pool where large buffers come from; without it each is a new one */
  constructor(pool?: BufferPool) {
    this.#pool = pool;
  }

  /** Bytes that are here. */
  get filled(): number {
    return this.#filled;
  }

  /** Bytes of memory taken. */
  get capacity(): number {
    return this.#buffer.length;
  }

  /**
   * Where the next bytes of the item may be put directly; nothing where it is not worth it.
   *
   * @param length how many bytes make the item whole
   */
  room(length: number): Uint8Array<ArrayBuffer> | undefined {
    if (this.#filled === 0 || length - this.#filled < LEAST_ROOM) return undefined;
    if (this.#filled === this.#buffer.length) this.#grow(this.#filled + 1, length);
    return this.#buffer.subarray(this.#filled, length);
  }

  /**
   * Takes bytes until `length` are here.
   *
   * @param bytes the next piece, which may lie where it belongs already
   * @param at where to go on in it, in bytes
   * @param length how many bytes make the item whole
   * @returns where it stopped in the piece
   */
  fill(bytes: Uint8Array, at: number, length: number): number {
    const take = Math.min(bytes.length - at, length - this.#filled);
    const filled = this.#filled + take;
    if (filled > this.#buffer.length) this.#grow(filled, length);
    if (bytes.buffer !== this.#buffer.buffer) {
      this.#buffer.set(bytes.subarray(at, at + take), this.#filled);
    }
    this.#filled = filled;
    return at + take;
  }

  /** The bytes that are here, as a view. */
  view(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(0, this.#filled);
  }

  /** Hands over the bytes that are here, and begins anew. */
  take(): Uint8Array<ArrayBuffer> {
    const item = this.view();
    this.#trusted = Math.min(Math.max(this.#trusted, this.#filled), TRUSTED_BYTES);
    this.settle();
    this.#given = this.#buffer;
    this.#buffer = NOTHING;
    this.#filled = 0;
    return item;
  }

  /** What was handed over last has got its users, if it has any: it is none of ours any more. */
  settle(): void {
    if (this.#given === NOTHING) return;
    this.#pool?.unuse([this.#given.buffer]);
    this.#given = NOTHING;
  }

  #grow(needed: number, length: number): void {
    const wanted = Math.max(needed, 2 * this.#buffer.length, this.#trusted);
    const size = Math.min(length, wanted);
    const grown = this.#pool?.take(size) ?? new Uint8Array(size);
    grown.set(this.#buffer.subarray(0, this.#filled));
    this.#pool?.unuse([this.#buffer.buffer]);
    this.#buffer = grown;
  }

  /** Drops the bytes that are here. */
  clear(): void {
    this.#pool?.unuse([this.#buffer.buffer]);
    this.#buffer = NOTHING;
    this.#filled = 0;
  }
}
