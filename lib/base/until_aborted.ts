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
