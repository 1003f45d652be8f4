/**
 * How much a peer may send, in one stream or in all: it is allowed more once a quarter was
 * consumed.
 */
export class ReceiveWindow {
  #size: number;
  #left: number;
  #consumed = 0;

  /** @param size bytes that may be under way or unconsumed */
  constructor(size: number) {
    this.#size = this.#left = size;
  }

  /** Bytes that the peer may send. */
  get left(): number {
    return this.#left;
  }

  /**
   * Takes note of bytes that came.
   *
   * @param beyond as many more may come, from a peer that does not know yet how small the window is
   * @returns `false` if the peer was not allowed to send them
   */
  take(bytes: number, beyond = 0): boolean {
    this.#left -= bytes;
    // Frames without data may come even where the window is used up.
    return bytes === 0 || this.#left + beyond >= 0;
  }

  /**
   * Takes note of bytes that were consumed.
   *
   * @returns how many more the peer is to be allowed; 0: none yet
   */
  consume(bytes: number): number {
    this.#consumed += bytes;
    return this.#consumed > 0 && this.#consumed >= this.#size / 4 ? this.#tell() : 0;
  }

  /**
   * Raises the size.
   *
   * @returns how many more the peer is to be allowed
   */
  grow(size: number): number {
    if (size <= this.#size) return 0;
    this.#consumed += size - this.#size;
    this.#size = size;
    return this.#tell();
  }

  #tell(): number {
    const more = this.#consumed;
    this.#consumed = 0;
    this.#left += more;
    return more;
  }
}
