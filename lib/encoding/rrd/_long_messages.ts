/**
 * Checks whether a message can be as long as it declares, by its beginning, which tells where its
 * data ends. Without this a damaged length would take as much memory as the rest of the file.
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

/** Bytes of a longer message that are looked at before the rest is waited for. */
export const LONG_BYTES: number = 1 << 20;

/** Bytes that may follow the data of an uncompressed message. */
const MAX_BEHIND_DATA = LONG_BYTES;
/** Begins binary data that is longer than 64 KiB. */
const MSGPACK_BIN32 = 0xc6;

/**
 * Whether a message can be as long as it declares; true if its beginning does not tell.
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

/** Checks a protobuf message: its fields must lead to its end. */
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
    // Not a valid field, unless it goes on behind the bytes that are here.
    return reader.pos >= reader.len;
  }
}

/**
 * Checks an LZ4 block: it inflates to about its stored size or more, and repeats only what came
 * before.
 */
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

/**
 * Checks a msgpack message: its data must end where it does, and a message without data is shorter.
 */
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

/** Whether the message is of the kind that has data. */
function isArrow(start: Uint8Array): boolean {
  return start[MESSAGE_HEADER_BYTES.msgpack + 1] === 0xa8;
}

function u32BigEndian(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);
}
