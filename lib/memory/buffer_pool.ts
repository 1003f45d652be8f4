/**
 * Memory that is used again, once nobody needs what is in it.
 *
 * Runtimes take long to find dead buffers, and new ones are cleared and cold: with these, many small
 * messages are received half as fast again, in half of the memory.
 *
 * @module
 */

import { checkBytes, checkGiven, hasMethods } from "../base/check_arguments.ts";
import { freeMemory } from "./free_memory.ts";

/** Smaller ones are not worth the counting. */
const MIN_BYTES = 64 * 1024;
/** Larger packets are rare, and would be kept for the next as large. */
const MAX_BYTES = 8 * 1024 * 1024;
/** Unused buffers that are kept, in bytes. */
const MAX_FREE_BYTES = 16 * 1024 * 1024;

/** Whose each buffer is, of all pools. */
const owners = new WeakMap<ArrayBufferLike, BufferPool>();

/**
 * Whether a view's bytes will be overwritten: whoever keeps such a message copies them.
 *
 * @param bytes of a received message
 *
 * @example
 * ```ts
 * import { isReused } from "@rerelay/server/flow";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(isReused(new Uint8Array(8)), false);
 * ```
 */
export function isReused(bytes: Uint8Array): boolean {
  checkBytes("isReused", bytes);
  return owners.has(bytes.buffer);
}

/**
 * Keeps bytes that would be overwritten as they are: cheaper than a copy where they are large, and
 * soon done with.
 *
 * @param bytes of a received message, before its receiver asks for what comes next
 * @returns ends it, to be called once; nothing where they are not used again anyway
 */
export function holdBytes({ buffer }: Uint8Array): (() => void) | undefined {
  const pool = owners.get(buffer);
  if (pool === undefined) return undefined;
  pool.acquire([buffer]);
  return () => pool.release([buffer]);
}

/**
 * Hands out buffers of powers of two, and counts who uses each.
 *
 * @example
 * ```ts
 * import { BufferPool } from "@rerelay/server/flow";
 * import { assert } from "@std/assert";
 *
 * const pool = new BufferPool();
 * const { buffer } = pool.take(100_000);
 * pool.release([buffer]);
 * assert(pool.take(100_000).buffer === buffer);
 * ```
 */
export class BufferPool {
  readonly #free = new Map<number, Uint8Array<ArrayBuffer>[]>();
  /** Not a strong one: what a client that broke off held may be collected. */
  readonly #uses = new WeakMap<ArrayBufferLike, number>();
  #freeBytes = 0;

  /** Whether much waits to be received, so that dead memory is to be given back at once. */
  isTight = false;

  /** Unused bytes that are kept. */
  get freeBytes(): number {
    return this.#freeBytes;
  }

  /**
   * Memory that the caller uses, until it says otherwise by `release`; what is in it is arbitrary.
   *
   * @param bytes how much at least
   */
  take(bytes: number): Uint8Array<ArrayBuffer> {
    if (bytes < MIN_BYTES || bytes > MAX_BYTES) return new Uint8Array(bytes);
    const size = 2 ** Math.ceil(Math.log2(bytes));
    let taken = this.#free.get(size)?.pop();
    if (taken === undefined) {
      taken = new Uint8Array(size);
      owners.set(taken.buffer, this);
    } else this.#freeBytes -= size;
    this.#uses.set(taken.buffer, 1);
    return taken;
  }

  /**
   * Takes over a buffer that the runtime made, with the caller as its user: its memory is given back to
   * the system when nobody uses it any more, not when the runtime finds out.
   *
   * @param buffer that nobody else knows
   */
  adopt(buffer: ArrayBufferLike): void {
    if (buffer.byteLength < MIN_BYTES) return;
    owners.set(buffer, this);
    this.#uses.set(buffer, 1);
  }

  /** Counts one more user of each buffer; those of others are let be. */
  acquire(buffers: readonly ArrayBufferLike[]): void {
    for (const buffer of buffers) {
      const uses = this.#uses.get(buffer);
      if (uses !== undefined) this.#uses.set(buffer, uses + 1);
    }
  }

  /** Counts one user less of each buffer: the last one gives it back. */
  release(buffers: readonly ArrayBufferLike[]): void {
    for (const buffer of buffers) {
      const uses = this.#uses.get(buffer);
      if (uses === undefined) continue;
      if (uses > 1) this.#uses.set(buffer, uses - 1);
      else this.#keep(buffer as ArrayBuffer);
    }
  }

  /** Lets go of what is unused. */
  clear(): void {
    this.#free.clear();
    this.#freeBytes = 0;
  }

  #keep(buffer: ArrayBuffer): void {
    this.#uses.delete(buffer);
    const size = buffer.byteLength;
    const isOurs = size <= MAX_BYTES && (size & (size - 1)) === 0;
    if (!isOurs || this.#freeBytes + size > MAX_FREE_BYTES) return freeMemory(buffer);
    this.#freeBytes += size;
    let free = this.#free.get(size);
    if (free === undefined) this.#free.set(size, free = []);
    free.push(new Uint8Array(buffer));
  }
}

/**
 * Refuses what is no pool; one that is left out is not looked at.
 *
 * @param taker the function that takes one
 * @param pool what was passed
 * @throws {TypeError} that names the function
 */
export function checkPool(taker: string, pool: unknown): void {
  const isPool = pool === undefined || hasMethods(pool, "take", "acquire", "release");
  checkGiven(taker, "pool, a BufferPool", isPool, pool);
}
