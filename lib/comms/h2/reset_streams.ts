import { ERROR, H2Error } from "./error_codes.ts";

/**
 * Streams that we have reset: the peer does not know yet, and may send as much of them as their windows
 * had room for.
 */
export class ResetStreams {
  /** The bytes that are left of each window, the oldest first. */
  readonly #left = new Map<number, number>();

  /** @param most how many are remembered, the youngest */
  constructor(readonly most: number) {}

  /** Remembers one. */
  add(id: number, left: number): void {
    this.#left.set(id, left);
    if (this.#left.size <= this.most) return;
    const [oldest] = this.#left.keys();
    this.#left.delete(oldest!);
  }

  /** Whether it is remembered. */
  has(id: number): boolean {
    return this.#left.has(id);
  }

  /**
   * DATA of a stream came that is not open, but was.
   *
   * @param beyond as many bytes more may come as its window had room for
   * @throws {H2Error} if it may not come any more, or not so much
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
