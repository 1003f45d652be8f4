/**
 * Turns a source that calls back into chunks that are read one by one.
 *
 * @module
 */

/** What the queue asks of the source behind it. */
export interface PullSource {
  /** A reader waits and the queue is empty: let the source run until the next chunk. */
  wanted?(): void;
  /** The last chunk in the queue was read. */
  emptied?(): void;
}

/**
 * Keeps chunks until they are read, and the end, or the error, until all chunks were read.
 *
 * The queue of a `ReadableStream` would not do: `controller.error` throws away what waits in it.
 */
export class PullQueue {
  readonly #source: PullSource;
  #chunks: Uint8Array[] = [];
  #end?: { readonly error: unknown };
  #waiting: PromiseWithResolvers<Uint8Array | undefined> | undefined;

  constructor(source: PullSource) {
    this.#source = source;
  }

  /** Whether all that came was read, and more may come. */
  get isWaiting(): boolean {
    return this.#chunks.length === 0 && this.#end === undefined;
  }

  /** Whether a reader waits. */
  get isAsked(): boolean {
    return this.#waiting !== undefined;
  }

  /**
   * The next chunk; `undefined` at the end. One call at a time.
   *
   * @throws what the queue was ended with
   */
  read(): Promise<Uint8Array | undefined> {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      if (this.#chunks.length === 0) this.#source.emptied?.();
      return Promise.resolve(chunk);
    }
    if (this.#end?.error !== undefined) return Promise.reject(this.#end.error);
    if (this.#end !== undefined) return Promise.resolve(undefined);
    this.#waiting = Promise.withResolvers();
    const { promise } = this.#waiting;
    this.#source.wanted?.();
    return promise;
  }

  /** Adds a chunk; does nothing after the end. */
  push(chunk: Uint8Array): void {
    if (this.#end) return;
    const waiting = this.#waiting;
    if (waiting === undefined) return void this.#chunks.push(chunk);
    this.#waiting = undefined;
    waiting.resolve(chunk);
    this.#source.emptied?.();
  }

  /**
   * Ends the chunks once they are read; the first end counts.
   *
   * @param error what the reader gets instead of an end
   */
  end(error?: unknown): void {
    this.#end ??= { error };
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (this.#end.error === undefined) waiting?.resolve(undefined);
    else waiting?.reject(this.#end.error);
  }

  /** Throws away what was not read, and ends without an error. */
  discard(): void {
    this.#chunks = [];
    this.#end = { error: undefined };
    this.end();
  }
}

/**
 * A stream of what is read.
 *
 * @param read gives the next chunk, `undefined` at the end
 * @param cancel called when nobody will read any more
 */
export function readableOf(
  read: () => Promise<Uint8Array | undefined>,
  cancel: () => void,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const chunk = await read();
      if (chunk !== undefined) controller.enqueue(chunk);
      else controller.close(); // throws after a cancel, when nobody listens any more
    },
    cancel,
  }, { highWaterMark: 0 });
}
