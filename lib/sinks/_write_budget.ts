/**
 * Bytes on their way to files, bounded over all files of a sink.
 *
 * @module
 */

/** Room for small messages that are written together: larger writes cost less a byte. */
export const CHUNK_BYTES = 2 * 1024 * 1024;
/** As much has a file's first: there may be hundreds of files with a few messages each. */
export const MIN_CHUNK_BYTES = 32 * 1024;

/** What a disk that pauses for a moment may leave waiting. */
const LIMIT_BYTES = 16 * 1024 * 1024;

/** Chunks that are kept for use again, in bytes. */
const MAX_FREE_BYTES = 8 * CHUNK_BYTES;

/** Counts what waits, and hands out chunks. */
export class WriteBudget {
  #used = 0;
  #waiting: PromiseWithResolvers<void> | undefined;
  readonly #free = new Map<number, Uint8Array<ArrayBuffer>[]>();
  #freeBytes = 0;

  /** Whether whoever adds must wait first. */
  get isFull(): boolean {
    return this.#used > LIMIT_BYTES;
  }

  /** Resolves when there is room. */
  room(): Promise<void> {
    if (!this.isFull) return Promise.resolve();
    this.#waiting ??= Promise.withResolvers();
    return this.#waiting.promise;
  }

  /**
   * A chunk, to be given back by `giveChunk`.
   *
   * @param bytes a power of two from {@linkcode MIN_CHUNK_BYTES} to {@linkcode CHUNK_BYTES}
   */
  takeChunk(bytes: number): Uint8Array<ArrayBuffer> {
    const chunk = this.#free.get(bytes)?.pop();
    if (chunk === undefined) return new Uint8Array(bytes);
    this.#freeBytes -= bytes;
    return chunk;
  }

  /** Counts bytes that wait. */
  hold(bytes: number): void {
    this.#used += bytes;
  }

  /** Counts bytes that do not wait any more. */
  release(bytes: number): void {
    this.#used -= bytes;
    if (this.isFull) return;
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }

  /** Takes a chunk back. */
  giveChunk(chunk: Uint8Array<ArrayBuffer>): void {
    const { length } = chunk;
    if (this.#freeBytes + length > MAX_FREE_BYTES) return;
    this.#freeBytes += length;
    const free = this.#free.get(length);
    if (free === undefined) this.#free.set(length, [chunk]);
    else free.push(chunk);
  }
}
