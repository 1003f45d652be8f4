/** What waits at signals: a signal that lives as long as the program must not gather listeners. */

/** Runs something, and counts the listeners that it has added to signals and not taken off. */
export async function abortListenersLeft(action: () => Promise<unknown>): Promise<number> {
  const own = AbortSignal.prototype;
  const { addEventListener, removeEventListener } = own;
  const left = new Set<unknown>();
  own.addEventListener = function (this: AbortSignal, ...args: unknown[]) {
    left.add(args[1]);
    return (addEventListener as (...args: unknown[]) => void).apply(this, args);
  } as typeof addEventListener;
  own.removeEventListener = function (this: AbortSignal, ...args: unknown[]) {
    left.delete(args[1]);
    return (removeEventListener as (...args: unknown[]) => void).apply(this, args);
  } as typeof removeEventListener;
  try {
    await action();
    return left.size;
  } finally {
    Object.assign(own, { addEventListener, removeEventListener });
  }
}
