/**
 * Finds how far the lengths in a file fit one another, quickly however large its messages are.
 *
 * @module
 */
import type { ReadableFile } from "../../../adapters/files/types.ts";
import type { StepResult } from "../../../base/step.ts";
import {
  decodeRrdHeader,
  isRrdMagic,
  RRD_HEADER_BYTES,
  type RrdHeader,
} from "../../../encoding/rrd_header.ts";
import { MESSAGE_HEADER_BYTES, readMessageHeader } from "../../../encoding/rrd/rrd_message.ts";
import { RerelayError } from "../../../base/errors.ts";
import { TRAILER_BYTES } from "../../../encoding/rrd/footer.ts";
import type { RrdPart } from "../../../encoding/rrd/part.ts";
import { ownScanner, scanned } from "./_inspect.ts";

/** Bytes that are read at once where messages are small. */
const BLOCK_BYTES = 1 << 20;
/** Bytes that are read behind a large message. */
const PEEK_BYTES = 4096;

/** How far the lengths in a file fit one another. */
interface Structure {
  /** Where the last fitting message ends, or the end marker if the file ends with it. */
  readonly whole: number;
  /** Where the last message begins. */
  readonly last: number | undefined;
  readonly header: RrdHeader | undefined;
}

/**
 * Finds where the whole messages of a file end, by their lengths alone.
 *
 * @param file is read, and stays open
 * @param signal ends it
 * @returns `undefined` if there is none, or if one stands behind what does not fit
 */
export async function soundLength(
  file: ReadableFile,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { whole, last, header } = await walk(file, signal);
  if (last === undefined || header === undefined) return undefined;
  if (whole === file.size) return whole;
  const isTorn = await isOnlyMessage(file, last, whole - last, header, signal);
  return isTorn ? whole : undefined;
}

async function walk(file: ReadableFile, signal: AbortSignal): Promise<Structure> {
  const window = new Window(file);
  let header: RrdHeader | undefined;
  let whole = 0;
  let last: number | undefined;
  const end = () => ({ whole, last, header });
  for (let at = 0; at < file.size;) {
    signal.throwIfAborted();
    const start = await window.at(at);
    const { bytes } = window;
    const left = bytes.length - start;
    if (header === undefined || (left >= 4 && isRrdMagic(bytes, start))) {
      if (left < RRD_HEADER_BYTES) return end();
      try {
        header = decodeRrdHeader(bytes.subarray(start));
      } catch (error) {
        if (error instanceof RerelayError) return end();
        throw error;
      }
      at += RRD_HEADER_BYTES;
      continue;
    }
    const size = MESSAGE_HEADER_BYTES[header.serializer];
    if (left < size) return end();
    const message = readMessageHeader(header, bytes, start, Infinity);
    const begin = at;
    at += size + message.length;
    if (message.end && message.length > 0) at += TRAILER_BYTES;
    // Zeros before the end of the file are not an end marker, and a footer comes last.
    if (message.end && at !== file.size) return end();
    if (at > file.size) return end();
    if (!message.end) last = begin;
    whole = at;
  }
  return end();
}

/**
 * Whether the message at a place is whole inside, and no other is behind it: a damaged length may
 * have led past the beginnings of others.
 */
async function isOnlyMessage(
  file: ReadableFile,
  place: number,
  bytes: number,
  header: RrdHeader,
  signal: AbortSignal,
): Promise<boolean> {
  const sizeBytes = RRD_HEADER_BYTES + file.size - place;
  const scanner = ownScanner(sizeBytes);
  const messages = messagesOf(scanner.push(header.bytes).items);
  const take = async (pushed: StepResult<RrdPart>) => {
    for await (const part of scanned(scanner, pushed, signal)) messages.push(...messagesOf([part]));
  };
  for (let at = place; at < file.size;) {
    signal.throwIfAborted();
    const block = new Uint8Array(Math.min(BLOCK_BYTES, file.size - at));
    const length = await file.readAt(at, block);
    if (length === 0) break;
    at += length;
    await take(scanner.push(block.subarray(0, length)));
    if (messages.length > 1) return false;
  }
  await take(scanner.finish());
  const [only, another] = messages;
  return another === undefined && only?.offset === RRD_HEADER_BYTES && only.bytes === bytes;
}

function messagesOf(parts: readonly RrdPart[]): RrdPart[] {
  return parts.filter(({ kind }) => kind === "message");
}

/** The part of a file that was read last. */
class Window {
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #start = 0;
  readonly #block = new Uint8Array(BLOCK_BYTES);

  constructor(readonly file: ReadableFile) {}

  /**
   * Gives where a place of the file is in `bytes`, with at least the head of a message behind it.
   */
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
