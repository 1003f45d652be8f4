import { ERROR, H2Error } from "./error_codes.ts";

/**
 * Streams that we have reset: the peer does not know yet, and may send as much of them as their windows
 * had room for.
 */
export class ResetStreams {
  /** The bytes that are left of each window, the oldest first. */
  readonly #left = new Map<number, number>();

  /** @param most how many of the youngest are remembered */
  constructor(readonly most: number) {}

  /** Remembers a stream. */
  add(id: number, left: number): void {
    this.#left.set(id, left);
    if (this.#left.size <= this.most) return;
    const [oldest] = this.#left.keys();
    this.#left.delete(oldest!);
  }

  /** Whether a stream is remembered. */
  has(id: number): boolean {
    return this.#left.has(id);
  }

  /**
   * Takes note of DATA of a stream that is no longer open.
   *
   * @param beyond as many bytes more may come as its window had room for
   * @throws {H2Error} if none, or not so much, may come any more
   */
  data(id: number, length: number, beyond = 0): void {
    const left = this.#left.get(id);
    if (left === undefined) {
      throw new H2Error(ERROR.STREAM_CLOSED, "DATA of a stream that is over");
    }
    if (length > 0 && left + beyond < length) {
      throw new H2Error(
        ERROR.FLOW_CONTROL_ERROR,
        "DATA beyond the window of a stream that is over",
      );
    }
    this.#left.set(id, left - length);
  }
}
