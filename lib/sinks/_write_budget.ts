/**
 * Bytes on their way to files, bounded over all files of a sink.
 *
 * @module
 */

/** Room for small messages that are written together: larger writes cost less a byte. */
export const CHUNK_BYTES = 2 * 1024 * 1024;

/** What a disk that pauses for a moment may leave waiting. */
const LIMIT_BYTES = 16 * 1024 * 1024;

/** Chunks that are kept for use again. */
const MAX_FREE = 8;

/** Counts what waits, and hands out chunks. */
export class WriteBudget {
  #used = 0;
  #waiting: PromiseWithResolvers<void> | undefined;
  readonly #free: Uint8Array<ArrayBuffer>[] = [];

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

  /** A chunk of {@linkcode CHUNK_BYTES}, to be given back by `giveChunk`. */
  takeChunk(): Uint8Array<ArrayBuffer> {
    return this.#free.pop() ?? new Uint8Array(CHUNK_BYTES);
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
    if (this.#free.length < MAX_FREE) this.#free.push(chunk);
  }
}
