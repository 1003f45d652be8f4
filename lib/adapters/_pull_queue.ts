/**
 * From a source that calls back to a stream that is pulled.
 *
 * @module
 */

/** What the queue asks of the source behind it. */
export interface PullSource {
  /** A reader waits and the queue is empty: let the source run until the next chunk. */
  wanted?(): void;
  /** The last chunk in the queue was read. */
  emptied?(): void;
  /** Nobody will read any more. */
  cancelled(): void;
}

/**
 * Keeps chunks until they are read, and the end, or the error, until all chunks were read.
 *
 * A stream's own queue would not do: `controller.error` throws away what waits in it.
 */
export class PullQueue {
  readonly readable: ReadableStream<Uint8Array>;
  #chunks: Uint8Array[] = [];
  #end?: { readonly error: unknown };
  #wake?: () => void;

  constructor(source: PullSource) {
    this.readable = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        while (!this.#chunks.length && !this.#end) {
          const woken = new Promise<void>((resolve) => this.#wake = resolve);
          source.wanted?.();
          await woken;
        }
        const chunk = this.#chunks.shift();
        if (chunk) {
          controller.enqueue(chunk);
          if (!this.#chunks.length) source.emptied?.();
        } else if (this.#end?.error !== undefined) controller.error(this.#end.error);
        else controller.close(); // throws after a cancel, when nobody listens any more
      },
      cancel: () => {
        this.discard();
        source.cancelled();
      },
    }, { highWaterMark: 0 });
  }

  /** Adds a chunk; does nothing after the end. */
  push(chunk: Uint8Array): void {
    if (this.#end) return;
    this.#chunks.push(chunk);
    this.#wake?.();
  }

  /**
   * Ends the stream once its chunks are read; the first end counts.
   *
   * @param error what to end it with, if not in peace
   */
  end(error?: unknown): void {
    this.#end ??= { error };
    this.#wake?.();
  }

  /** Throws away what was not read, and ends the stream in peace. */
  discard(): void {
    this.#chunks = [];
    this.#end = { error: undefined };
    this.#wake?.();
  }
}
