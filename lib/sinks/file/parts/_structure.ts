/**
 * Whether the lengths in a file fit one another: told in a moment, however large its messages are.
 *
 * @module
 */
import type { ReadableFile } from "../../../adapters/files/types.ts";
import { decodeRrdHeader, isRrdMagic, RRD_HEADER_BYTES } from "../../../encoding/rrd_header.ts";
import { MESSAGE_HEADER_BYTES, readMessageHeader } from "../../../encoding/rrd/rrd_message.ts";
import { RerelayError } from "../../../base/errors.ts";

/** Read at once where messages are small. */
const BLOCK_BYTES = 1 << 20;
/** Read behind a large message. */
const PEEK_BYTES = 4096;

/**
 * Walks over the headers of a file's messages.
 *
 * @param file is read, and stays open
 * @param signal ends the walk
 * @returns whether there is a message, and the last one, or an end marker, ends with the file
 */
export async function hasSoundStructure(file: ReadableFile, signal: AbortSignal): Promise<boolean> {
  const window = new Window(file);
  let header;
  let messages = 0;
  for (let at = 0; at < file.size;) {
    signal.throwIfAborted();
    const start = await window.at(at);
    const { bytes } = window;
    const left = bytes.length - start;
    if (header === undefined || (left >= 4 && isRrdMagic(bytes, start))) {
      if (left < RRD_HEADER_BYTES) return false;
      try {
        header = decodeRrdHeader(bytes.subarray(start));
      } catch (error) {
        if (error instanceof RerelayError) return false;
        throw error;
      }
      at += RRD_HEADER_BYTES;
      continue;
    }
    const size = MESSAGE_HEADER_BYTES[header.serializer];
    if (left < size) return false;
    const message = readMessageHeader(header, bytes, start, Infinity);
    at += size + message.length;
    // We write no footers yet: zeros before the end are no end marker.
    if (message.end) return message.length === 0 && at === file.size && messages > 0;
    messages++;
    if (at > file.size) return false;
  }
  return messages > 0;
}

/** What was read of a file last. */
class Window {
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #start = 0;
  readonly #block = new Uint8Array(BLOCK_BYTES);

  constructor(readonly file: ReadableFile) {}

  /** Where a place of the file is in `bytes`, with what a message begins with behind it. */
  async at(at: number): Promise<number> {
    const end = this.#start + this.bytes.length;
    if (at >= this.#start && (at + RRD_HEADER_BYTES + 8 <= end || end === this.file.size)) {
      return at - this.#start;
    }
    const into = at > end ? this.#block.subarray(0, PEEK_BYTES) : this.#block;
    let length = 0;
    for (let read = -1; read !== 0 && length < into.length; length += read) {
      read = await this.file.readAt(at + length, into.subarray(length));
    }
    this.bytes = into.subarray(0, length);
    this.#start = at;
    return 0;
  }
}
