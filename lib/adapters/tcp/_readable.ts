/**
 * A stream of what is read.
 *
 * @param read gives the next chunk, `undefined` at the end
 * @param cancel called when nobody will read any more
 */
export function readableOf(
  read: () => Promise<Uint8Array | undefined>,
  cancel: () => void,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const chunk = await read();
      if (chunk !== undefined) controller.enqueue(chunk);
      else controller.close(); // throws after a cancel, when nobody listens any more
    },
    cancel,
  }, { highWaterMark: 0 });
}
