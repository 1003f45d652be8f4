/**
 * Bounds the bytes on their way to files, over all files of a sink.
 *
 * @module
 */
import type { Clock } from "../../../base/clock.ts";
import { Ages } from "./_ages.ts";

/**
 * The largest chunk in which small messages are gathered, in bytes: larger writes cost less per
 * byte.
 */
export const CHUNK_BYTES = 2 * 1024 * 1024;
/**
 * Bytes of the first chunk of a file: there may be hundreds of files with a few messages each, whose
 * chunks are used again, as far as they are kept.
 */
export const MIN_CHUNK_BYTES = 8 * 1024;
/** From this length on, what waits for one file is worth a write of its own, in bytes. */
export const WHOLE_BYTES = 32 * 1024;

/** Bytes that may always wait, so that a disk may pause for a moment. */
const LIMIT_BYTES = 8 * 1024 * 1024;

/** Bytes of unused chunks that are kept. */
const MAX_FREE_BYTES = 4 * CHUNK_BYTES;

/** How long bytes may wait for a slow disk, in milliseconds, besides the time they are gathered. */
const MAX_WAIT_MS = 100;

/** Counts what waits, and hands out chunks. */
export class WriteBudget {
  /** How long bytes wait on purpose, to be written together, in milliseconds. */
  gatherMs = 0;
  /** Whether a file has enough for a write of its own since this was set to `false`. */
  hasWhole = false;
  #used = 0;
  readonly #ages: Ages;
  #waiting: PromiseWithResolvers<void> | undefined;
  readonly #free = new Map<number, Uint8Array<ArrayBuffer>[]>();
  #freeBytes = 0;

  /** @param now monotonic milliseconds */
  constructor(now: Clock["now"]) {
    this.#ages = new Ages(now);
  }

  /** Whether nothing more may be added now. */
  get isFull(): boolean {
    return this.#used > LIMIT_BYTES;
  }

  /** Whether some bytes have waited for too long. */
  get isLate(): boolean {
    return this.#used > 0 && this.#ages.oldestMs > MAX_WAIT_MS + this.gatherMs;
  }

  /** Resolves when there is room, and nothing has waited for too long. */
  waitForRoom(): Promise<void> {
    if (!this.isFull && !this.isLate) return Promise.resolve();
    this.#waiting ??= Promise.withResolvers();
    return this.#waiting.promise;
  }

  /**
   * Takes a chunk, which must be given back by `releaseChunk`.
   *
   * @param bytes a power of two from {@linkcode MIN_CHUNK_BYTES} to {@linkcode CHUNK_BYTES}, or more
   * than that
   */
  takeChunk(bytes: number): Uint8Array<ArrayBuffer> {
    const chunk = this.#free.get(bytes)?.pop();
    if (chunk === undefined) return new Uint8Array(bytes);
    this.#freeBytes -= bytes;
    return chunk;
  }

  /** Says that what is added next came now. */
  tick(): void {
    this.#ages.tick();
  }

  /** Counts bytes that wait. */
  hold(bytes: number): void {
    this.#used += bytes;
    this.#ages.add(bytes);
  }

  /** Counts bytes that do not wait any more. */
  release(bytes: number): void {
    this.#used -= bytes;
    this.#ages.remove(bytes);
    if (this.isFull || this.isLate) return;
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }

  /** Takes a chunk back. */
  releaseChunk(chunk: Uint8Array<ArrayBuffer>): void {
    const { length } = chunk;
    // Larger ones are rare, and no two have one length.
    if (length > CHUNK_BYTES) return;
    if (this.#freeBytes + length > MAX_FREE_BYTES) return;
    this.#freeBytes += length;
    const free = this.#free.get(length);
    if (free === undefined) this.#free.set(length, [chunk]);
    else free.push(chunk);
  }
}
