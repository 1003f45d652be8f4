/**
 * How long we wait for a server to read what was sent: as long as bytes flow.
 *
 * @module
 */

/** Decides when to give up. */
export class LinkPatience {
  readonly #timeoutMs: number;
  #left: number | undefined;
  #until: number;

  /**
   * @param timeoutMs without any byte taken, in milliseconds
   * @param sendingMs how long the sending took so far: buffers on the way, which can't be seen, may
   * take as long again
   * @param now monotonic milliseconds
   */
  constructor(timeoutMs: number, sendingMs: number, now: number) {
    this.#timeoutMs = timeoutMs;
    this.#until = now + Math.max(timeoutMs, sendingMs);
  }

  /**
   * Takes note of what is left, and decides.
   *
   * @param left bytes that are still to be taken, as far as can be seen; `undefined`: can't be seen
   * @param now monotonic milliseconds
   * @returns whether to give up
   */
  isOver(left: number | undefined, now: number): boolean {
    if (left !== undefined && left !== this.#left) {
      this.#left = left;
      this.#until = Math.max(this.#until, now + this.#timeoutMs);
    }
    return now >= this.#until;
  }
}
