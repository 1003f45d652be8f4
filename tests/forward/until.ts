/** Waits until something is so; a minute is far more than it takes. */
export async function until(isSo: () => boolean): Promise<void> {
  const end = performance.now() + 60_000;
  while (!isSo()) {
    if (performance.now() > end) throw new Error("it takes too long");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** A timer that does not wait. */
export function soon(_ms: number, action: () => void): () => void {
  const timer = setTimeout(action, 0);
  return () => clearTimeout(timer);
}
