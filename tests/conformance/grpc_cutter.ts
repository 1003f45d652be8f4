/** Cuts what SDKs send by gRPC, and files of it, into messages: on purpose without the code under test. */
import { Buffer } from "node:buffer";

const PREFACE_BYTES = 24;
const FRAME_HEAD_BYTES = 9;
const [DATA, PADDED, END_STREAM] = [0, 8, 1];
const RRD_HEADER_BYTES = 12;
const MESSAGE_HEAD_BYTES = 16;

/** A log message, with the number of its kind. */
export interface CutLogMsg {
  readonly kind: number;
  readonly bytes: Uint8Array;
}

/** One call of a connection. */
export interface CutCall {
  readonly messages: readonly CutLogMsg[];
  /** Bytes of a message that did not come whole. */
  readonly rest: number;
  readonly hasEnded: boolean;
}

/**
 * Cuts an HTTP/2 connection into the calls that have a body.
 *
 * @throws if it is none
 */
export function cutCalls(bytes: Uint8Array): CutCall[] {
  if (!new TextDecoder().decode(bytes.subarray(0, PREFACE_BYTES)).startsWith("PRI * HTTP/2.0")) {
    throw new Error("it does not begin as HTTP/2 does");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const bodies = new Map<number, Uint8Array[]>();
  const ended = new Set<number>();
  for (let at = PREFACE_BYTES; at + FRAME_HEAD_BYTES <= bytes.length;) {
    const length = view.getUint32(at) >>> 8;
    const [type, flags] = [bytes[at + 3]!, bytes[at + 4]!];
    const id = view.getUint32(at + 5);
    const from = at + FRAME_HEAD_BYTES;
    at = from + length;
    if (type === DATA) {
      if (flags & PADDED) throw new Error("a padded frame, which SDKs do not send");
      const body = bodies.get(id) ?? [];
      bodies.set(id, body);
      body.push(bytes.subarray(from, Math.min(at, bytes.length)));
    }
    if (type <= 1 && flags & END_STREAM) ended.add(id);
  }
  return [...bodies].map(([id, parts]) =>
    cutBody(new Uint8Array(Buffer.concat(parts)), ended.has(id))
  );
}

function cutBody(body: Uint8Array, hasEnded: boolean): CutCall {
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const messages: CutLogMsg[] = [];
  let at = 0;
  while (at + 5 <= body.length) {
    const end = at + 5 + view.getUint32(at + 1);
    if (body[at] !== 0) throw new Error("a compressed message, which SDKs do not send");
    if (end > body.length) break;
    const [outer] = fields(body.subarray(at + 5, end));
    if (outer?.number !== 1) throw new Error("a request without its log message");
    const [message] = fields(outer.bytes);
    messages.push({ kind: message!.number, bytes: message!.bytes });
    at = end;
  }
  return { messages, rest: body.length - at, hasEnded };
}

/** Fields that have a length. */
function fields(bytes: Uint8Array): { number: number; bytes: Uint8Array }[] {
  const found = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes[at++]!;
    if ((tag & 7) !== 2) throw new Error(`a field of type ${tag & 7}`);
    let length = 0;
    for (let scale = 1;; scale *= 128) {
      const byte = bytes[at++]!;
      length += (byte & 127) * scale;
      if (byte < 128) break;
    }
    found.push({ number: tag >> 3, bytes: bytes.subarray(at, at + length) });
    at += length;
  }
  return found;
}

/**
 * The messages of a file in protobuf, up to its end.
 *
 * @throws if it is not one
 */
export function cutProtobufFile(bytes: Uint8Array): CutLogMsg[] {
  const header = new TextDecoder("latin1").decode(bytes.subarray(0, RRD_HEADER_BYTES));
  if (!header.startsWith("RRF2") || bytes[9] !== 2) throw new Error(`no header of protobuf`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const messages: CutLogMsg[] = [];
  for (let at = RRD_HEADER_BYTES; at < bytes.length;) {
    const kind = Number(view.getBigUint64(at, true));
    const length = Number(view.getBigUint64(at + 8, true));
    const from = at + MESSAGE_HEAD_BYTES;
    at = from + length;
    // What follows is an index, if anything.
    if (kind === 0) return messages;
    if (at > bytes.length) throw new Error(`the last message ends ${at - bytes.length} short`);
    messages.push({ kind, bytes: bytes.subarray(from, at) });
  }
  throw new Error("the file has no end marker");
}

/**
 * Checks that a file holds just these messages, in their order.
 *
 * @throws if not
 */
export function checkSame(saved: readonly CutLogMsg[], sent: readonly CutLogMsg[]): void {
  for (const [number, { kind, bytes }] of saved.entries()) {
    const expected = sent[number];
    if (kind === expected?.kind && Buffer.compare(bytes, expected.bytes) === 0) continue;
    throw new Error(`message ${number} of the file is not the one that was sent`);
  }
  if (saved.length !== sent.length) {
    throw new Error(`the file holds ${saved.length} of the ${sent.length} messages sent`);
  }
}
