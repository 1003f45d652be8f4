/**
 * One message inside an RRD stream: its own header, and what follows it.
 *
 * @module
 */
import { MessageTooLarge } from "../../base/errors.ts";
import { u32 } from "../../base/little_endian.ts";
import type { LogMsg } from "../log_msg.ts";
import type { DecodeLimits } from "../limits.ts";
import type { EnvelopeTemplates } from "../msgpack/envelope_templates.ts";
import { checkLz4Ratio, inflateLz4 } from "../lz4/lz4.ts";
import { decodeMsgpackLogMsg } from "../msgpack/msgpack_log_msg.ts";
import { decodeProtobufLogMsg } from "../protobuf/protobuf_log_msg.ts";
import type { RrdHeader } from "../rrd_header.ts";
import { isNewProtobuf } from "./same_encoding.ts";

/** Length of a message's own header, by serializer, in bytes. */
export const MESSAGE_HEADER_BYTES = { msgpack: 8, protobuf: 16 } as const;

/** A decoded message header. */
export interface MessageHeader {
  /** Whether it is the end marker (which newer files follow with a footer of `length` bytes). */
  readonly end: boolean;
  /** Protobuf: which message; msgpack says so in the payload. */
  readonly kind: number;
  /** Bytes of payload that follow. */
  readonly length: number;
  /** What the payload inflates to, in bytes; the same where it is not compressed. */
  readonly inflated: number;
}

/**
 * Reads a message's own header.
 *
 * @param header of the stream
 * @param bytes where at least the 8 (msgpack) or 16 (protobuf) bytes of it are
 * @param at where it begins, in bytes
 * @param limit of the payload, in bytes
 * @throws {MessageTooLarge} if it declares more than the limit
 */
export function readMessageHeader(
  header: RrdHeader,
  bytes: Uint8Array,
  at: number,
  limit: number,
): MessageHeader {
  if (header.serializer === "protobuf") {
    const kind = u64(bytes, at);
    const length = u64(bytes, at + 8);
    if (length > limit) throw new MessageTooLarge(length, limit);
    return { end: kind === 0, kind, length, inflated: length };
  }
  const stored = u32(bytes, at);
  const inflated = u32(bytes, at + 4);
  const length = header.compression === "off" ? inflated : stored;
  if (Math.max(length, inflated) > limit) {
    throw new MessageTooLarge(Math.max(length, inflated), limit);
  }
  return { end: stored === 0 && inflated === 0, kind: 0, length, inflated };
}

/**
 * Decodes a whole message.
 *
 * @param header of the stream
 * @param message the message's own header
 * @param bytes where the message is
 * @param at where its own header begins, in bytes
 * @param limits of its envelope, and of what it may declare to inflate to
 * @param templates what was learned from the messages of this stream before
 * @throws {InvalidMessage} if it is damaged
 * @throws {MessageTooLarge} if its Arrow data declares more than the limit
 */
export function decodeMessage(
  header: RrdHeader,
  message: MessageHeader,
  bytes: Uint8Array,
  at: number,
  limits: Required<DecodeLimits>,
  templates?: EnvelopeTemplates,
): LogMsg {
  const start = at + MESSAGE_HEADER_BYTES[header.serializer];
  const end = start + message.length;
  // Faster than `subarray` on V8: a million views of one byte take some 70 ms this way on Deno, and
  // 80 to 170 ms by `bytes.subarray(i, i + 1)`.
  const whole = new Uint8Array(bytes.buffer, bytes.byteOffset + at, end - at);
  const encoded = { header, bytes: whole };
  if (header.serializer === "protobuf") {
    const dialect = isNewProtobuf(header) ? "v1alpha1" : "v0";
    const payload = bytes.subarray(start, end);
    return withVersion(decodeProtobufLogMsg(message.kind, payload, dialect, encoded, limits));
  }
  if (header.compression === "lz4") {
    checkLz4Ratio(message.length, message.inflated, limits);
    const payload = inflateLz4(bytes.subarray(start, end), message.inflated);
    return decodeMsgpackLogMsg(payload, 0, payload.length, encoded, limits, templates);
  }
  const equal = withEqualLengths(header, whole);
  const kept = equal === whole ? encoded : { header, bytes: equal };
  return decodeMsgpackLogMsg(bytes, start, end, kept, limits, templates);
}

/**
 * Sets the version of a store info from its header, as Rerun's decoder does: in a file that was
 * saved again it is that of the program that saved it.
 */
function withVersion(msg: LogMsg): LogMsg {
  if (msg.kind !== "SetStoreInfo") return msg;
  return { ...msg, info: { ...msg.info, storeVersion: msg.encoded.header.version } };
}

/**
 * Makes the two lengths of an uncompressed msgpack message equal, since readers differ in which one
 * they take.
 *
 * @param header of the stream
 * @param bytes of the message, with its own header
 * @returns the same bytes if nothing is to be changed, else a copy
 */
export function withEqualLengths(header: RrdHeader, bytes: Uint8Array): Uint8Array {
  if (header.serializer !== "msgpack" || header.compression !== "off") return bytes;
  if (u32(bytes, 0) === u32(bytes, 4)) return bytes;
  const equal = bytes.slice();
  equal.copyWithin(0, 4, 8);
  return equal;
}

function u64(bytes: Uint8Array, at: number): number {
  return u32(bytes, at + 4) * 2 ** 32 + u32(bytes, at);
}
