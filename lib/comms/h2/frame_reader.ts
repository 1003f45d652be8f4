import { ERROR, H2Error } from "./error_codes.ts";
import { FLAG, FRAME, HEAD_BYTES, PREFACE } from "./frames.ts";
import { plural } from "../../base/plural.ts";

/** Takes what a {@linkcode FrameReader} finds; what it throws ends the reading. */
export interface FrameHandler {
  /** The head of a frame has come; called for DATA and for ignored frames, too. */
  head(type: number, flags: number, id: number): void;
  /**
   * A DATA frame begins.
   *
   * @param length of its payload
   * @param padding how many of these bytes are padding, which is not part of the body
   */
  beginData(flags: number, id: number, length: number, padding: number): void;
  /** Bytes of its body, a view on what was pushed. */
  data(bytes: Uint8Array): void;
  /** The DATA frame is whole. */
  endData(flags: number): void;
  /**
   * Any other known frame, whole; of a GOAWAY the end may be left out.
   *
   * @param payload a view, which may be used again after the call
   */
  frame(type: number, flags: number, id: number, payload: Uint8Array): void;
}

/** Limits of frames in bytes. */
export interface FrameLimits {
  /** Limit of all frames; DATA, which needs no memory of ours, may be as long. */
  readonly maxFrameBytes: number;
  /** Limit of HEADERS and CONTINUATION, without padding and priority. */
  readonly maxHeaderBytes: number;
}

/** Bytes that may surround a header block: the padding and its length, and a priority. */
const AROUND_BLOCK_BYTES = 1 + 255 + 5 + 1;
/** How many settings a frame may have. */
const MAX_SETTINGS = 32;
/** How much of a GOAWAY is read, in bytes; the rest of its text is ignored. */
const GOAWAY_BYTES = 8 + 120;

const NOTHING = new Uint8Array(0);

type Place =
  | "preface"
  | "head"
  | "pad length"
  | "data"
  | "padding"
  | "payload"
  | "skip"
  | "stopped";

/**
 * Cuts a connection's bytes into frames, whatever pieces they come in.
 *
 * Bytes of DATA are handed on as they come. Other frames are put together, and each type has a
 * small limit of its own: the large limit is for DATA alone.
 */
export class FrameReader {
  readonly #handler: FrameHandler;
  readonly #limits: FrameLimits;
  #place: Place;
  /** The head or payload that is being put together; most payloads need no copy. */
  #bytes: Uint8Array;
  #filled = 0;
  /** How many bytes of the payload are kept. */
  #wanted = 0;
  /** Bytes that are still to come of the body, the padding, or what is skipped. */
  #left = 0;
  #padding = 0;
  #type = 0;
  #flags = 0;
  #id = 0;
  #isFirst = true;
  readonly #head = new Uint8Array(HEAD_BYTES);

  /**
   * @param handler takes the frames
   * @param limits of them
   * @param wantsPreface whether the peer is a client, which begins with {@linkcode PREFACE}
   */
  constructor(handler: FrameHandler, limits: FrameLimits, wantsPreface: boolean) {
    this.#handler = handler;
    this.#limits = limits;
    this.#place = wantsPreface ? "preface" : "head";
    this.#bytes = this.#head;
  }

  /** Bytes of a body that are sure to come next. */
  get dataLeft(): number {
    return this.#place === "data" ? this.#left : 0;
  }

  /** Bytes of memory taken for a frame that is not whole; DATA takes none. */
  get partialBytes(): number {
    return this.#bytes === this.#head ? 0 : this.#bytes.length;
  }

  /** Ignores all that comes from now on. */
  stop(): void {
    this.#place = "stopped";
    this.#bytes = this.#head;
  }

  /**
   * Takes the next bytes.
   *
   * @throws {H2Error} if they break the protocol or a limit, and what the handler throws
   */
  push(chunk: Uint8Array): void {
    const end = chunk.length;
    for (let at = 0; at < end;) {
      switch (this.#place) {
        case "data": {
          const length = Math.min(this.#left, end - at);
          const bytes = length === end ? chunk : chunk.subarray(at, at + length);
          at += length;
          this.#left -= length;
          // The handler may stop us.
          if (this.#left > 0) this.#handler.data(bytes);
          else this.#endBody(bytes);
          break;
        }
        case "head":
          if (this.#filled === 0 && end - at >= HEAD_BYTES) {
            this.#begin(chunk, at);
            at += HEAD_BYTES;
          } else {
            at = this.#fill(chunk, at, HEAD_BYTES);
            if (this.#filled < HEAD_BYTES) return;
            this.#filled = 0;
            this.#begin(this.#head, 0);
          }
          break;
        case "payload": {
          const length = this.#wanted;
          if (this.#filled === 0 && end - at >= length) {
            at += length;
            this.#whole(chunk.subarray(at - length, at));
          } else {
            if (this.#filled === 0) this.#bytes = new Uint8Array(length);
            at = this.#fill(chunk, at, length);
            if (this.#filled === length) this.#whole(this.#bytes);
          }
          break;
        }
        case "pad length":
          this.#pad(chunk[at++]!);
          break;
        case "padding":
        case "skip": {
          const length = Math.min(this.#left, end - at);
          at += length;
          this.#left -= length;
          if (this.#left === 0) this.#place === "skip" ? this.#next() : this.#endData();
          break;
        }
        case "preface":
          at = this.#preface(chunk, at);
          break;
        case "stopped":
          return;
      }
    }
  }

  #fill(chunk: Uint8Array, at: number, length: number): number {
    const count = Math.min(length - this.#filled, chunk.length - at);
    this.#bytes.set(chunk.subarray(at, at + count), this.#filled);
    this.#filled += count;
    return at + count;
  }

  #preface(chunk: Uint8Array, from: number): number {
    let at = from;
    while (at < chunk.length && this.#filled < PREFACE.length) {
      if (chunk[at++] !== PREFACE[this.#filled++]) {
        throw new H2Error(ERROR.PROTOCOL_ERROR, "the connection does not begin as HTTP/2 does");
      }
    }
    if (this.#filled === PREFACE.length) this.#next();
    return at;
  }

  #next(): void {
    if (this.#place === "stopped") return;
    this.#place = "head";
    this.#bytes = this.#head;
    this.#filled = 0;
  }

  #begin(bytes: Uint8Array, at: number): void {
    const length = bytes[at]! << 16 | bytes[at + 1]! << 8 | bytes[at + 2]!;
    const type = this.#type = bytes[at + 3]!;
    const flags = this.#flags = bytes[at + 4]!;
    const id = this.#id = (bytes[at + 5]! & 127) << 24 | bytes[at + 6]! << 16 |
      bytes[at + 7]! << 8 | bytes[at + 8]!;
    if (this.#isFirst && (type !== FRAME.SETTINGS || flags & FLAG.ACK)) {
      throw new H2Error(ERROR.PROTOCOL_ERROR, "the first frame is not SETTINGS");
    }
    this.#isFirst = false;
    checkLength(type, length, this.#limits);
    this.#handler.head(type, flags, id);
    if (this.#place === "stopped") return;
    if (type === FRAME.DATA) return this.#beginData(length);
    const isKnown = type <= FRAME.CONTINUATION;
    const kept = isKnown ? Math.min(length, type === FRAME.GOAWAY ? GOAWAY_BYTES : length) : 0;
    this.#left = length - kept;
    if (!isKnown) {
      if (length > 0) this.#place = "skip";
      return;
    }
    this.#place = "payload";
    this.#wanted = kept;
    if (kept === 0) this.#whole(NOTHING);
  }

  #whole(payload: Uint8Array): void {
    if (this.#left > 0) this.#place = "skip";
    else this.#next();
    this.#handler.frame(this.#type, this.#flags, this.#id, payload);
  }

  // -------------------------------------------------------------------------------------- DATA

  #beginData(length: number): void {
    this.#left = length;
    if (!(this.#flags & FLAG.PADDED)) return this.#body(length, 0);
    if (length === 0) throw new H2Error(ERROR.FRAME_SIZE_ERROR, "a padded DATA frame is empty");
    this.#place = "pad length";
  }

  #pad(padding: number): void {
    const length = this.#left;
    if (padding >= length) {
      throw new H2Error(ERROR.PROTOCOL_ERROR, "the padding is longer than the DATA frame");
    }
    this.#body(length - 1 - padding, padding + 1);
  }

  /**
   * Begins the body of a frame; the length of the padding, which was read already, counts as
   * padding.
   */
  #body(length: number, padding: number): void {
    this.#left = length;
    this.#padding = Math.max(0, padding - 1);
    this.#place = "data";
    this.#handler.beginData(this.#flags, this.#id, length + padding, padding);
    if (this.#left === 0 && this.#place === "data") this.#endBody(undefined);
  }

  #endBody(bytes: Uint8Array | undefined): void {
    this.#left = this.#padding;
    this.#place = "padding";
    if (bytes !== undefined) this.#handler.data(bytes);
    if (this.#left === 0 && this.#place === "padding") this.#endData();
  }

  #endData(): void {
    this.#next();
    this.#handler.endData(this.#flags);
  }
}

/** Checks the length of a frame by its type, before memory is taken for it. */
function checkLength(type: number, length: number, limits: FrameLimits): void {
  const { maxFrameBytes, maxHeaderBytes } = limits;
  if (length > maxFrameBytes) {
    throw new H2Error(
      ERROR.FRAME_SIZE_ERROR,
      `a frame of ${plural(length, "byte")}, over the limit of ${maxFrameBytes}`,
    );
  }
  switch (type) {
    case FRAME.HEADERS:
    case FRAME.CONTINUATION:
      if (length <= maxHeaderBytes + AROUND_BLOCK_BYTES) return;
      throw new H2Error(
        ERROR.ENHANCE_YOUR_CALM,
        `header fields over ${plural(maxHeaderBytes, "byte")}`,
      );
    case FRAME.SETTINGS:
      if (length <= 6 * MAX_SETTINGS) return;
      throw new H2Error(ERROR.ENHANCE_YOUR_CALM, `more than ${MAX_SETTINGS} settings in a frame`);
    case FRAME.PRIORITY:
    case FRAME.RST_STREAM:
    case FRAME.PING:
    case FRAME.WINDOW_UPDATE:
      if (length <= 8) return;
      throw new H2Error(
        ERROR.FRAME_SIZE_ERROR,
        `a frame of type ${type} has ${plural(length, "byte")}`,
      );
    case FRAME.PUSH_PROMISE:
      throw new H2Error(ERROR.PROTOCOL_ERROR, "PUSH_PROMISE, which was not allowed");
  }
}
