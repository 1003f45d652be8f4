/** What waits at promises: one that lasts as long as the program, or a call, must not gather it. */

/**
 * Runs something, and counts what it has waiting at one promise at most; what waits by `await` is not
 * counted.
 */
export async function mostReactions(action: () => Promise<unknown>): Promise<number> {
  const own = Promise.prototype;
  const { then } = own;
  const counts = new WeakMap<object, number>();
  let most = 0;
  own.then = function (this: Promise<unknown>, ...args: unknown[]) {
    const count = (counts.get(this) ?? 0) + 1;
    counts.set(this, count);
    most = Math.max(most, count);
    return (then as (...args: unknown[]) => Promise<unknown>).apply(this, args);
  } as typeof then;
  try {
    await action();
    return most;
  } finally {
    own.then = then;
  }
}
