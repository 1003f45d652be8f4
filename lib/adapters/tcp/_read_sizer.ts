/**
 * How much memory each read from a socket gets.
 *
 * A message pins the whole buffer it was read into, and an idle connection holds one too: so
 * buffers are small until a peer shows that it fills them.
 *
 * @module
 */

import type { BufferPool } from "../../memory/buffer_pool.ts";

/** Bytes of the first buffer: a handshake has 7, and many clients then say nothing for hours. */
export const FIRST_READ = 512;

/** Bytes of the buffer with which a connection waits that has sent more and is quiet now. */
export const MIN_READ = 4 * 1024;

/** Bytes of the next buffer if it comes from a pool: a pool has no smaller ones. */
const POOLED_READ = 64 * 1024;

/** Bytes of the largest buffer. */
export const MAX_READ = 256 * 1024;

/** Hands out the space for one read after another, no byte of it twice. */
export class ReadSizer {
  #size = FIRST_READ;
  #rest: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #drained = true;
  readonly #pool: BufferPool | undefined;

  /** @param pool where large buffers come from and go to; without it each is a new one */
  constructor(pool?: BufferPool) {
    this.#pool = pool;
  }

  /** Where the next read goes: what is left of the last buffer, or a new one. */
  space(): Uint8Array<ArrayBuffer> {
    // A read that left space has emptied the socket, so the next one may wait for hours: it waits
    // with little memory, and if that is filled, the one after it has the full size again.
    const wanted = this.#drained ? Math.min(MIN_READ, this.#size) : this.#size;
    // A small rest would cost a system call for few bytes, and holds the whole of its buffer.
    if (this.#rest.length < wanted / 4 || this.#rest.buffer.byteLength > wanted * 4) {
      this.done();
      this.#rest = this.#pool?.take(wanted) ?? new Uint8Array(wanted);
    }
    return this.#rest;
  }

  /** Bytes of memory that are kept for the next read; 0 if they are few. */
  get spaceBytes(): number {
    return this.#rest.length > MIN_READ ? this.#rest.length : 0;
  }

  /** Lets go of what is left of the last buffer. */
  done(): void {
    this.#pool?.release([this.#rest.buffer]);
    this.#rest = new Uint8Array(0);
  }

  /**
   * Takes what a read put into the space.
   *
   * @param length bytes that were read, at most the space's
   * @returns a view of these bytes
   */
  take(length: number): Uint8Array<ArrayBuffer> {
    const space = this.#rest;
    this.#drained = length < space.length;
    if (!this.#drained && space.length >= this.#size) {
      this.#grow();
    } else if (length < space.length / 4) {
      this.#size = Math.max(this.#size / 2, Math.min(this.#size, MIN_READ));
    }
    this.#rest = space.subarray(length);
    return space.subarray(0, length);
  }

  /**
   * Makes the next buffer larger; with a pool in few steps, for each of many short connections
   * would leave a buffer of each size.
   */
  #grow(): void {
    const least = this.#size < MIN_READ || this.#pool === undefined ? MIN_READ : POOLED_READ;
    this.#size = Math.min(Math.max(this.#size * 2, least), MAX_READ);
  }
}
