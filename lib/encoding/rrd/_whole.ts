/**
 * Tells whole messages from bytes that only look like one.
 *
 * @module
 */
import { InvalidMessage } from "../../base/errors.ts";
import type { BlueprintActivationCommand, LogMsg } from "../log_msg.ts";
import type { Encoded } from "../message_parts.ts";
import type { RrdHeader } from "../rrd_header.ts";
import type { DecodeLimits } from "../limits.ts";
import { inflateLz4 } from "../lz4/lz4.ts";
import { bytes, readMessage } from "../protobuf/protobuf.ts";
import { MsgpackReader } from "../msgpack/msgpack.ts";
import { checkMsgpackShape } from "./_msgpack_shape.ts";
import { MESSAGE_HEADER_BYTES, type MessageHeader } from "./rrd_message.ts";
import { u32 } from "../../base/little_endian.ts";
import { checkArrowWhole } from "../arrow/arrow_check.ts";
import { plural } from "../../base/plural.ts";

/** Bytes that {@linkcode looksLikeMessage} looks at. */
export const SIGNATURE_BYTES = 32;

/** How many zeros are skipped at once, which takes some milliseconds. */
const MAX_ZEROS = 8 << 20;

/** The highest kind of a protobuf message that a later Rerun may add; higher ones are damage. */
const MAX_KIND = 255;

/** First letters of the msgpack variants, by the length of their names. */
const NAMES: Readonly<Record<number, string>> = { 8: "A", 12: "S", 26: "B", 15: "E" };

/** Whether a message of this encoding could begin here; false for most bytes that are not one. */
export function looksLikeMessage(header: RrdHeader, bytes: Uint8Array, at: number): boolean {
  const start = at + MESSAGE_HEADER_BYTES[header.serializer];
  if (start + 4 > bytes.length) return false;
  if (header.serializer === "protobuf") {
    if (bytes[at]! < 1 || bytes[at]! > 3) return false;
    for (let i = 1; i < 8; i++) if (bytes[at + i] !== 0) return false;
    return bytes[start] === 0x0a;
  }
  let payload = start;
  if (header.compression === "lz4") {
    // The first literals of a block are the beginning of the inflated message.
    const literals = bytes[payload++]! >> 4;
    if (literals < 3) return false;
    if (literals === 15) { while (payload < at + SIGNATURE_BYTES && bytes[payload++] === 255); }
  } else {
    for (let i = 0; i < 4; i++) if (bytes[at + i] !== bytes[at + 4 + i]) return false;
  }
  const name = nameAt(bytes, payload);
  return name !== undefined && NAMES[name.length]?.charCodeAt(0) === bytes[name.at];
}

/**
 * Where the name of a message's kind is, and how long it is, in any form that msgpack has for a map
 * of one entry and a text. SDKs write the shortest; other programs need not.
 */
function nameAt(bytes: Uint8Array, at: number): { at: number; length: number } | undefined {
  const map = bytes[at];
  const countBytes = map === 0x81 ? 0 : map === 0xde ? 2 : map === 0xdf ? 4 : -1;
  if (countBytes < 0 || (countBytes > 0 && uintAt(bytes, at + 1, countBytes) !== 1)) {
    return undefined;
  }
  const text = at + 1 + countBytes;
  const first = bytes[text] ?? 0;
  if ((first & 0xe0) === 0xa0) return { at: text + 1, length: first & 0x1f };
  const lengthBytes = first === 0xd9 ? 1 : first === 0xda ? 2 : first === 0xdb ? 4 : 0;
  if (lengthBytes === 0) return undefined;
  return { at: text + 1 + lengthBytes, length: uintAt(bytes, text + 1, lengthBytes) };
}

/** A number as msgpack writes it, the highest byte first. */
function uintAt(bytes: Uint8Array, at: number, length: number): number {
  let value = 0;
  for (let i = 0; i < length; i++) value = value * 256 + (bytes[at + i] ?? NaN);
  return value;
}

/**
 * The next place where something may begin, a few MiB on at most: nothing begins with eight zeros.
 */
export function behindZeros(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== 0 || bytes[at + 7] !== 0) return at;
  const limit = at + MAX_ZEROS;
  let end = at;
  while (end < limit && bytes[end] === 0) end++;
  return Math.max(at, end - 7);
}

/**
 * Refuses a message header that no SDK writes, since it would swallow the messages behind it.
 *
 * @param header of the stream
 * @param message its own header
 * @param bytes where it is
 * @param at where it begins, in bytes
 * @throws {InvalidMessage} if its two lengths differ, or there can be no such kind
 */
export function checkLengths(
  { serializer, compression }: RrdHeader,
  { kind }: MessageHeader,
  bytes: Uint8Array,
  at: number,
): void {
  if (kind > MAX_KIND) throw new InvalidMessage(`A message of unknown kind ${kind}`);
  if (serializer !== "msgpack" || compression !== "off") return;
  const [stored, inflated] = [u32(bytes, at), u32(bytes, at + 4)];
  if (stored === inflated) return;
  throw new InvalidMessage(
    `The two lengths of a message differ: ${stored} and ${plural(inflated, "byte")}`,
  );
}

/**
 * Checks what may still be wrong with a message that decodes: its Arrow data, and the end of its
 * value.
 *
 * If bytes inside a message are missing, it swallows the beginning of the next one, and its Arrow
 * stream does not end where it should.
 *
 * @throws {InvalidMessage} if it is not whole
 */
export function checkWhole(msg: LogMsg, limits: Required<DecodeLimits>): void {
  if (msg.kind === "UnknownMsg" && msg.name !== "EntityPathOpMsg") {
    throw new InvalidMessage("A message of unknown kind");
  }
  // A data message with the kind of an activation can be decoded as one, since both begin with a
  // store id.
  if (msg.kind === "BlueprintActivationCommand") checkActivation(msg);
  checkEnd(msg, limits);
  if (msg.kind === "ArrowMsg") checkArrowWhole(msg.ipc());
  else if (msg.encoded.header.serializer === "msgpack") {
    checkMsgpackShape(msgpackReader(msg.encoded, limits).value());
  }
}

function checkActivation({ blueprintId, encoded }: BlueprintActivationCommand): void {
  if (blueprintId.kind !== "Blueprint") {
    throw new InvalidMessage("A recording activated as if it were a blueprint");
  }
  if (encoded.header.serializer !== "protobuf") return;
  const data = bytes(() => {
    throw new InvalidMessage("A blueprint's data under the number of its activation");
  });
  const payload = encoded.bytes.subarray(MESSAGE_HEADER_BYTES.protobuf);
  readMessage(payload, "BlueprintActivationCommand", { 5: data, 1000: data });
}

/**
 * Checks that a msgpack message ends with its value: bytes behind it may be the next messages,
 * swallowed because of a damaged length. A protobuf reader notices such bytes by itself.
 *
 * @throws {InvalidMessage} if it does not
 */
export function checkEnd(msg: LogMsg, limits: Required<DecodeLimits>): void {
  const { encoded } = msg;
  if (encoded.header.serializer !== "msgpack") return;
  let left: number;
  if (msg.kind === "ArrowMsg") {
    const { buffer, byteOffset, length } = msg.arrow.bytes;
    // Uncompressed data comes last in the message; inflated data has a buffer of its own.
    const { bytes } = encoded;
    const end = bytes.buffer === buffer ? bytes.byteOffset + bytes.length : buffer.byteLength;
    left = end - byteOffset - length;
  } else {
    const reader = msgpackReader(encoded, limits);
    reader.value();
    left = reader.end - reader.pos;
  }
  if (left > 0) throw new InvalidMessage(`${plural(left, "byte")} behind the value of a message`);
}

/** Reads the value of a message in msgpack. */
function msgpackReader(
  { header, bytes }: Encoded,
  limits: Required<DecodeLimits>,
): MsgpackReader {
  const stored = bytes.subarray(MESSAGE_HEADER_BYTES.msgpack);
  const payload = header.compression === "off" ? stored : inflateLz4(stored, u32(bytes, 4));
  return new MsgpackReader(payload, 0, payload.length, limits);
}
