/**
 * Ends waiting for something when a signal is aborted.
 *
 * @module
 */

/** Waits for a promise, but rejects with the signal's reason as soon as that is aborted. */
export function untilAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    // Also listened to after the signal: an error that nobody waits for must not end the program.
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

/**
 * Waits for hundreds of promises at a time until one signal is aborted, with one listener for all: each
 * further one is the slower to add the more there are.
 */
export class UntilAborted {
  readonly #waiting = new Set<(reason: unknown) => void>();

  /** @param signal that ends the waiting */
  constructor(readonly signal: AbortSignal) {
    const stop = () => {
      for (const reject of this.#waiting) reject(signal.reason);
      this.#waiting.clear();
    };
    signal.addEventListener("abort", stop, { once: true });
  }

  /** Waits for a promise, but rejects with the signal's reason as soon as that is aborted. */
  wait<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.signal.aborted) reject(this.signal.reason);
      else this.#waiting.add(reject);
      promise.then((value) => {
        this.#waiting.delete(reject);
        resolve(value);
      }, (error) => {
        this.#waiting.delete(reject);
        reject(error);
      });
    });
  }
}
