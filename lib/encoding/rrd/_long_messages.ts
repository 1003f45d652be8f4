/**
 * Whether a message that is said to be long can be: its own beginning says where its data ends. A length
 * that was damaged would otherwise take as much memory as the rest of the file has bytes.
 *
 * @module
 */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { RerelayError } from "../../base/errors.ts";
import { u32 } from "../../base/little_endian.ts";
import { type DecodeLimits, DENSEST_LZ4 } from "../limits.ts";
import { MsgpackReader } from "../msgpack/msgpack.ts";
import type { RrdHeader } from "../rrd_header.ts";
import { MESSAGE_HEADER_BYTES } from "./rrd_message.ts";

/** Of messages that take more, so much is looked at before the rest is waited for, in bytes. */
export const LONG_BYTES: number = 1 << 20;

/** What of a message that is not compressed may stand behind its data, in bytes. */
const MAX_BEHIND_DATA = LONG_BYTES;
/** Begins binary data that is longer than 64 KiB. */
const MSGPACK_BIN32 = 0xc6;

/**
 * Whether a message can be as long as it says; true where its beginning does not tell.
 *
 * @param header of the stream
 * @param start the first {@linkcode LONG_BYTES} or more of it
 * @param total its length with its own header, in bytes
 * @param limits of its envelope
 */
export function fitsItsLength(
  header: RrdHeader,
  start: Uint8Array,
  total: number,
  limits: Required<DecodeLimits>,
): boolean {
  if (header.serializer === "protobuf") return fitsProtobuf(start, total);
  return header.compression === "lz4" ? fitsLz4(start) : fitsMsgpack(start, total, limits);
}

/** Its fields lead to its end. */
function fitsProtobuf(start: Uint8Array, total: number): boolean {
  const reader = new BinaryReader(start.subarray(MESSAGE_HEADER_BYTES.protobuf));
  const left = total - start.length;
  try {
    while (reader.pos < reader.len) {
      const [number, wireType] = reader.tag();
      if (wireType !== WireType.LengthDelimited) {
        reader.skip(wireType, number);
        continue;
      }
      const length = reader.uint32();
      const behind = left + reader.len - reader.pos - length;
      if (behind < left) return behind >= 0 && behind <= MAX_BEHIND_DATA;
      reader.pos = reader.len - (behind - left);
    }
    return true;
  } catch {
    // No field, unless it is one that goes on behind what there is.
    return reader.pos >= reader.len;
  }
}

/** What it inflates to is not much less than what is stored, and it repeats only what came before. */
function fitsLz4(start: Uint8Array): boolean {
  const [stored, inflated] = [u32(start, 0), u32(start, 4)];
  if (stored > inflated + inflated / 255 + 16 || inflated > stored * DENSEST_LZ4) return false;
  let made = 0;
  for (let at: number = MESSAGE_HEADER_BYTES.msgpack; at < start.length;) {
    const token = start[at++]!;
    let literals = token >> 4;
    if (literals === 15) { do literals += start[at] ?? 0; while (start[at++] === 255); }
    at += literals;
    made += literals;
    if (at + 2 > start.length) return true;
    const distance = start[at]! | start[at + 1]! << 8;
    if (distance === 0 || distance > made) return false;
    at += 2;
    let copied = (token & 15) + 4;
    if (copied === 19) { do copied += start[at] ?? 0; while (start[at++] === 255); }
    made += copied;
    if (made > inflated) return false;
  }
  return true;
}

/** Its data ends where it does; what has none is over before. */
function fitsMsgpack(
  start: Uint8Array,
  total: number,
  limits: Required<DecodeLimits>,
): boolean {
  for (let at = start.indexOf(MSGPACK_BIN32); at >= 0;) {
    if (at + 5 <= start.length && total - at - 5 === u32BigEndian(start, at + 1)) return true;
    at = start.indexOf(MSGPACK_BIN32, at + 1);
  }
  const reader = new MsgpackReader(start, MESSAGE_HEADER_BYTES.msgpack, start.length, limits);
  try {
    reader.value();
    return false;
  } catch (error) {
    if (!(error instanceof RerelayError)) throw error;
    return !isArrow(start);
  }
}

/** Whether the name of the message begins as that of those that have data does. */
function isArrow(start: Uint8Array): boolean {
  return start[MESSAGE_HEADER_BYTES.msgpack + 1] === 0xa8;
}

function u32BigEndian(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);
}
