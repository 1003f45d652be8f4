/** Bytes below which a buffer is left to the garbage collector: freeing it costs more than it gains. */
const MIN_BYTES = 16 * 1024;

/**
 * Gives a buffer's memory back at once; its views are empty from then on.
 *
 * Runtimes look for dead buffers late: a peer could make us allocate them faster than they are
 * found, and each collection takes time from everybody.
 *
 * @param buffer that nobody uses any more
 */
export function freeMemory(buffer: ArrayBufferLike): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength >= MIN_BYTES) buffer.transfer(0);
}
