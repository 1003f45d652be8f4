/**
 * Frames of HTTP/2 (RFC 9113, section 4): their numbers, and how they are written.
 *
 * @module
 */
import { ERROR, H2Error } from "./error_codes.ts";

/** Types of frames. */
export const FRAME = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

/** Flags of frames. */
export const FLAG = {
  /** Of DATA and HEADERS. */
  END_STREAM: 1,
  /** Of SETTINGS and PING. */
  ACK: 1,
  END_HEADERS: 4,
  PADDED: 8,
  PRIORITY: 32,
} as const;

/** Names of settings. */
export const SETTING = {
  HEADER_TABLE_SIZE: 1,
  ENABLE_PUSH: 2,
  MAX_CONCURRENT_STREAMS: 3,
  INITIAL_WINDOW_SIZE: 4,
  MAX_FRAME_SIZE: 5,
  MAX_HEADER_LIST_SIZE: 6,
} as const;

/** What a client sends before its first frame. */
export const PREFACE: Uint8Array = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** Bytes of a frame's head. */
export const HEAD_BYTES = 9;

/** The window of a stream or connection unless settings say otherwise, in bytes. */
export const DEFAULT_WINDOW = 65_535;

/** A window larger than this breaks the protocol. */
export const MAX_WINDOW: number = 2 ** 31 - 1;

/**
 * Checks a window that was raised.
 *
 * @throws {H2Error} FLOW_CONTROL_ERROR if it is too large now
 */
export function checkWindow(bytes: number): void {
  if (bytes <= MAX_WINDOW) return;
  throw new H2Error(ERROR.FLOW_CONTROL_ERROR, "a window over 2^31 - 1 bytes");
}

/** The length of frames that all peers take, in bytes. */
export const DEFAULT_FRAME_BYTES = 16_384;

/** No frame may be longer than this, in bytes. */
export const MAX_FRAME_BYTES: number = 2 ** 24 - 1;

/** Reads a big-endian u32. */
export function u32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! * 2 ** 24) + (bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!);
}

/** Reads a big-endian u32 without its first bit, which is reserved. */
export function u31(bytes: Uint8Array, at: number): number {
  return u32(bytes, at) & MAX_WINDOW;
}

/** Makes the head of a frame whose payload has so many bytes. */
export function frameHead(length: number, type: number, flags: number, id: number): Uint8Array {
  const head = new Uint8Array(HEAD_BYTES);
  writeFrameHead(head, 0, length, type, flags, id);
  return head;
}

/**
 * Writes what stands before a payload.
 *
 * @param into where the 9 bytes go
 * @param at from where on
 * @param length of the payload in bytes
 */
export function writeFrameHead(
  into: Uint8Array,
  at: number,
  length: number,
  type: number,
  flags: number,
  id: number,
): void {
  into[at] = length >> 16;
  into[at + 1] = length >> 8;
  into[at + 2] = length;
  into[at + 3] = type;
  into[at + 4] = flags;
  writeU32(into, at + 5, id);
}

function writeU32(out: Uint8Array, at: number, number: number): void {
  out[at] = number >>> 24;
  out[at + 1] = number >>> 16;
  out[at + 2] = number >>> 8;
  out[at + 3] = number;
}

/** A frame with a payload of unsigned 32-bit numbers. */
export function numbersFrame(type: number, id: number, ...numbers: number[]): Uint8Array {
  const frame = new Uint8Array(HEAD_BYTES + 4 * numbers.length);
  writeFrameHead(frame, 0, 4 * numbers.length, type, 0, id);
  for (let i = 0; i < numbers.length; i++) writeU32(frame, HEAD_BYTES + 4 * i, numbers[i]!);
  return frame;
}

/** A SETTINGS frame. */
export function settingsFrame(settings: readonly (readonly [number, number])[]): Uint8Array {
  const frame = new Uint8Array(HEAD_BYTES + 6 * settings.length);
  writeFrameHead(frame, 0, 6 * settings.length, FRAME.SETTINGS, 0, 0);
  const view = new DataView(frame.buffer);
  settings.forEach(([name, value], i) => {
    view.setUint16(HEAD_BYTES + 6 * i, name);
    view.setUint32(HEAD_BYTES + 6 * i + 2, value);
  });
  return frame;
}

/** A frame with any payload. */
export function bytesFrame(
  type: number,
  flags: number,
  id: number,
  payload: Uint8Array,
): Uint8Array {
  const frame = new Uint8Array(HEAD_BYTES + payload.length);
  writeFrameHead(frame, 0, payload.length, type, flags, id);
  frame.set(payload, HEAD_BYTES);
  return frame;
}

/** How many characters of a GOAWAY's text are sent. */
const MAX_TEXT = 120;

/**
 * A GOAWAY frame.
 *
 * @param lastId the last stream of the peer that was processed
 * @param code why
 * @param text the same in words
 */
export function goAwayFrame(lastId: number, code: number, text: string): Uint8Array {
  const debug = new TextEncoder().encode(text.slice(0, MAX_TEXT));
  const numbers = numbersFrame(FRAME.GOAWAY, 0, lastId, code).subarray(HEAD_BYTES);
  const payload = new Uint8Array(numbers.length + debug.length);
  payload.set(numbers);
  payload.set(debug, numbers.length);
  return bytesFrame(FRAME.GOAWAY, 0, 0, payload);
}

/** A header block in as many frames as it needs: HEADERS, and CONTINUATION behind it. */
export function headersFrames(
  id: number,
  block: Uint8Array,
  isEnd: boolean,
  maxFrameBytes: number,
): Uint8Array[] {
  const frames: Uint8Array[] = [];
  let at = 0;
  do {
    const part = block.subarray(at, at + maxFrameBytes);
    const type = at === 0 ? FRAME.HEADERS : FRAME.CONTINUATION;
    const endStream = isEnd && at === 0 ? FLAG.END_STREAM : 0;
    at += part.length;
    const endHeaders = at === block.length ? FLAG.END_HEADERS : 0;
    frames.push(bytesFrame(type, endStream | endHeaders, id, part));
  } while (at < block.length);
  return frames;
}
