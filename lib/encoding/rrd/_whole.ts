/**
 * What tells a message that is whole from bytes that only look like one.
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

/** As much of a message as {@linkcode looksLikeMessage} looks at, in bytes. */
export const SIGNATURE_BYTES = 32;

/** As many zeros are passed over at once: some ms. */
const MAX_ZEROS = 8 << 20;

/** Kinds of protobuf messages that a later Rerun may add; what is above came by damage. */
const MAX_KIND = 255;

/** First letters of the msgpack variants, by the byte that says how long their names are. */
const NAMES: Readonly<Record<number, string>> = { 0xa8: "A", 0xac: "S", 0xba: "B", 0xaf: "E" };

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
    // The first literals of a block are the beginning of the message.
    const literals = bytes[payload++]! >> 4;
    if (literals < 3) return false;
    if (literals === 15) { while (payload < at + SIGNATURE_BYTES && bytes[payload++] === 255); }
  } else {
    for (let i = 0; i < 4; i++) if (bytes[at + i] !== bytes[at + 4 + i]) return false;
  }
  // The announcements that version 0.1 made up have a longer form of the name.
  const isLong = bytes[payload + 1] === 0xdb;
  const letter = NAMES[isLong ? 0xa0 | bytes[payload + 5]! : bytes[payload + 1]!];
  return bytes[payload] === 0x81 &&
    letter?.charCodeAt(0) === bytes[payload + (isLong ? 6 : 2)];
}

/** The next place at which something may begin, a few MiB on at most: nothing does with eight zeros. */
export function behindZeros(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== 0 || bytes[at + 7] !== 0) return at;
  const limit = at + MAX_ZEROS;
  let end = at;
  while (end < limit && bytes[end] === 0) end++;
  return Math.max(at, end - 7);
}

/**
 * Refuses the header of a message that no SDK writes and that would draw the next messages in.
 *
 * @param header of the stream
 * @param message what its own header says
 * @param bytes where it is
 * @param at where it begins, in bytes
 * @throws {InvalidMessage} if its two lengths differ, or its kind is none there may be
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
  throw new InvalidMessage(`The two lengths of a message differ: ${stored} and ${inflated} bytes`);
}

/**
 * Checks what a message that decodes may still lack: sound Arrow data, the end of its value.
 *
 * A hole inside a message draws the next one in; its Arrow stream then does not end where it should.
 *
 * @throws {InvalidMessage} if it is not whole
 */
export function checkWhole(msg: LogMsg, limits: Required<DecodeLimits>): void {
  if (msg.kind === "UnknownMsg" && msg.name !== "EntityPathOpMsg") {
    throw new InvalidMessage("A message of unknown kind");
  }
  // Data under the number of another kind reads like one: store ids come first in both.
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
 * Checks that a msgpack message ends with its value: bytes behind it may be the next messages, drawn in
 * by lengths that are not as they were. Of protobuf there can't be any that its reader does not see.
 *
 * @throws {InvalidMessage} if it does not
 */
export function checkEnd(msg: LogMsg, limits: Required<DecodeLimits>): void {
  const { encoded } = msg;
  if (encoded.header.serializer !== "msgpack") return;
  let left: number;
  if (msg.kind === "ArrowMsg") {
    const { buffer, byteOffset, length } = msg.arrow.bytes;
    // The data comes last; what was inflated has memory of its own.
    const { bytes } = encoded;
    const end = bytes.buffer === buffer ? bytes.byteOffset + bytes.length : buffer.byteLength;
    left = end - byteOffset - length;
  } else {
    const reader = msgpackReader(encoded, limits);
    reader.value();
    left = reader.end - reader.pos;
  }
  if (left > 0) throw new InvalidMessage(`${left} bytes behind the value of a message`);
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
