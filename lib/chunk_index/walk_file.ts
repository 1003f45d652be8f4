/**
 * Indexes a file by walking over it; of large messages only the beginning is read.
 *
 * @module
 */
import type { ReadableFile } from "../adapters/files/types.ts";
import { SYSTEM_CLOCK } from "../base/clock.ts";
import { NotAnRrd, RerelayError } from "../base/errors.ts";
import { isTrailer, TRAILER_BYTES } from "../encoding/rrd/footer.ts";
import { readMessageHeader } from "../encoding/rrd/rrd_message.ts";
import { decodeRrdHeader, isRrdMagic, RRD_HEADER_BYTES } from "../encoding/rrd_header.ts";
import type { MessagePart } from "./_envelope.ts";
import { type Footer, FooterBuilder } from "./footer_builder.ts";
import { NotIndexable } from "./not_indexable.ts";

/** Options of {@linkcode indexFile}. */
export interface WalkOptions {
  /** Ends the walk. */
  readonly signal?: AbortSignal;
  /** Called with the place that it has reached, in bytes. */
  readonly onProgress?: (at: number) => void;
  /** Most cells of an index; above that there is none. */
  readonly maxCells?: number;
}

/** What the walk found. */
export interface IndexedFile {
  readonly footer: Footer;
  /** Where the last message ends; an end marker or an old footer may follow. */
  readonly messagesEnd: number;
  /**
   * Whether the file has an end marker, which is all that Rerun before 0.28 wrote behind the
   * messages.
   */
  readonly isMarked: boolean;
}

/** Messages up to this length, in bytes, are read whole, and so much of longer ones at first. */
const WHOLE_BYTES = 64 * 1024;
const FRONT_BYTES = 16 * 1024;
/** Length of a message's own header, in bytes. */
const HEAD_BYTES = 16;
/**
 * How much is read at once where messages are small, and after a jump over a large one, in bytes.
 */
const [BLOCK_BYTES, PEEK_BYTES] = [1 << 20, 32 * 1024];
/**
 * A walk that may be ended lets others take their turns after so many messages: a block of small ones
 * takes a tenth of a second, and several times that where other programs want the processor.
 */
const TURN_MESSAGES = 128;

/**
 * Indexes a file.
 *
 * @param file an open file, which is not closed and must not be written to meanwhile
 * @throws {NotIndexable} if it can't be indexed, or ends within a message
 * @throws the signal's reason, or an error of the runtime
 */
export async function indexFile(
  file: ReadableFile,
  options: WalkOptions = {},
): Promise<IndexedFile> {
  const { signal, onProgress = () => {}, maxCells } = options;
  const window = new Window(file);
  const head = await window.read(0, Math.min(RRD_HEADER_BYTES, file.size));
  if (head.length < RRD_HEADER_BYTES) {
    throw new NotIndexable("it is no recording", "chunks", { cause: new NotAnRrd() });
  }
  const header = indexable(() => decodeRrdHeader(head));
  const builder = new FooterBuilder(header, maxCells);
  let at = RRD_HEADER_BYTES;
  let told = 0;
  for (let messages = 1; at < file.size; messages++) {
    if (at - told >= BLOCK_BYTES) onProgress(told = at);
    if (signal !== undefined && messages % TURN_MESSAGES === 0) {
      await SYSTEM_CLOCK.delay(0);
      signal.throwIfAborted();
    }
    if (at + HEAD_BYTES > file.size) throw cutShort(at);
    const bytes = await window.read(at, HEAD_BYTES);
    if (isRrdMagic(bytes, 0)) throw new NotIndexable("more than one stream is in it");
    const { end, kind, length } = indexable(() => readMessageHeader(header, bytes, 0, Infinity));
    const start = at + HEAD_BYTES;
    if (end) {
      await checkEnd(window, file.size, start, length);
      return { footer: await builder.finish(), messagesEnd: at, isMarked: true };
    }
    if (start + length > file.size) throw cutShort(at);
    let part = await firstPart(window, start, length);
    for (;;) {
      const more = builder.add(kind, part, start);
      if (more === undefined) break;
      part = more.part === "tail"
        ? {
          ...part,
          front: part.front.slice(),
          tail: await tailOf(window, start, length, more.bytes),
        }
        : { ...part, front: (await window.read(start, more.bytes)).slice() };
    }
    at = start + length;
  }
  onProgress(at);
  return { footer: await builder.finish(), messagesEnd: at, isMarked: false };
}

async function firstPart(window: Window, start: number, length: number): Promise<MessagePart> {
  const bytes = length <= WHOLE_BYTES ? length : FRONT_BYTES;
  return { length, front: await window.read(start, bytes) };
}

async function tailOf(window: Window, start: number, length: number, at: number) {
  return { at, bytes: (await window.read(start + at, length - at)).slice() };
}

/**
 * Checks that an end header is followed by a footer and its trailer, a trailer alone, or nothing.
 */
async function checkEnd(window: Window, size: number, at: number, length: number): Promise<void> {
  const left = size - at;
  if (left === 0 && length === 0) return;
  if (left === length + TRAILER_BYTES) {
    const trailer = await window.read(at + length, TRAILER_BYTES);
    if (isTrailer(trailer, 0)) return;
  }
  if (length > 0 && left < length + TRAILER_BYTES) throw cutShort(at);
  throw new NotIndexable("something stands behind its end marker");
}

function cutShort(at: number): NotIndexable {
  return new NotIndexable(`it is cut short at byte ${at}`);
}

function indexable<T>(action: () => T): T {
  try {
    return action();
  } catch (cause) {
    if (!(cause instanceof RerelayError)) throw cause;
    throw new NotIndexable(cause.message, "chunks", { cause });
  }
}

/** The part of a file that was read last; views of it are valid until the next read. */
class Window {
  readonly #file: ReadableFile;
  #block: Uint8Array<ArrayBuffer> = new Uint8Array(BLOCK_BYTES);
  #start = 0;
  #end = 0;

  constructor(file: ReadableFile) {
    this.#file = file;
  }

  async read(at: number, bytes: number): Promise<Uint8Array> {
    if (at < this.#start || at + bytes > this.#end) await this.#load(at, bytes);
    const from = at - this.#start;
    return this.#block.subarray(from, Math.min(from + bytes, this.#end - this.#start));
  }

  async #load(at: number, bytes: number): Promise<void> {
    const isJump = at > this.#end || at < this.#start;
    const wanted = Math.min(
      Math.max(bytes, isJump ? PEEK_BYTES : BLOCK_BYTES),
      this.#file.size - at,
    );
    if (wanted > this.#block.length) this.#block = new Uint8Array(wanted);
    else if (wanted <= BLOCK_BYTES && this.#block.length > BLOCK_BYTES) {
      this.#block = new Uint8Array(BLOCK_BYTES);
    }
    let length = 0;
    while (length < wanted) {
      const read = await this.#file.readAt(at + length, this.#block.subarray(length, wanted));
      if (read === 0) break;
      length += read;
    }
    this.#start = at;
    this.#end = at + length;
    if (length < Math.min(bytes, wanted)) throw new NotIndexable("it was cut while it was read");
  }
}
