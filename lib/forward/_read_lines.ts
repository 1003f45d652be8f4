/**
 * Reads a file line by line, in bounded memory.
 *
 * @module
 */

/** Rerelay writes no lines longer than this. */
const MAX_LINE_BYTES = 64 * 1024;
const LINE_FEED = 10;

/**
 * The lines that end with a line feed. What follows the last one was torn by a crash, and is left
 * out.
 */
export async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest: Uint8Array = new Uint8Array(0);
  for await (const chunk of stream) {
    const bytes = new Uint8Array(rest.length + chunk.length);
    bytes.set(rest);
    bytes.set(chunk, rest.length);
    let start = 0;
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
      yield decoder.decode(bytes.subarray(start, end));
      start = end + 1;
    }
    rest = bytes.subarray(start).slice(-MAX_LINE_BYTES);
  }
}
