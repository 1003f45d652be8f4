/**
 * Lets actions run side by side as long as their bytes stay within a limit, first come first
 * served.
 *
 * @module
 */

/** A limit on the bytes that are under way. */
export class ByteGate {
  #bytes = 0;
  #waiting: { readonly bytes: number; readonly go: () => void }[] = [];

  /** @param limitBytes for all together, which may be changed; an action that is larger runs alone */
  constructor(public limitBytes: number) {}

  /** Bytes under way. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Waits for room, does something, and gives the room back.
   *
   * @param bytes that the action takes while it runs
   * @param signal ends the waiting, with its reason
   * @param action what is done
   */
  async through<T>(bytes: number, signal: AbortSignal, action: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    if (this.#waiting.length > 0 || !this.#fits(bytes)) await this.#wait(bytes, signal);
    else this.#bytes += bytes;
    try {
      return await action();
    } finally {
      this.#bytes -= bytes;
      this.#letWaitingIn();
    }
  }

  #fits(bytes: number): boolean {
    return this.#bytes === 0 || this.#bytes + bytes <= this.limitBytes;
  }

  #wait(bytes: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const place = { bytes, go: resolve };
    const stop = () => {
      this.#waiting = this.#waiting.filter((one) => one !== place);
      reject(signal.reason);
      // Later, for others may end their waiting at the same time.
      queueMicrotask(() => this.#letWaitingIn());
    };
    signal.addEventListener("abort", stop, { once: true });
    this.#waiting.push(place);
    return promise.finally(() => signal.removeEventListener("abort", stop));
  }

  #letWaitingIn(): void {
    for (let first = this.#waiting[0]; first && this.#fits(first.bytes); first = this.#waiting[0]) {
      this.#waiting.shift();
      this.#bytes += first.bytes;
      first.go();
    }
  }
}
