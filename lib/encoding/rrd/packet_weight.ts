/**
 * Estimates what a packet will take once it is decoded, without decoding it.
 *
 * @module
 */
import { u32 } from "../../base/little_endian.ts";
import { isRrdMagic, RRD_HEADER_BYTES } from "../rrd_header.ts";
import { TRAILER_BYTES } from "./footer.ts";
import { MESSAGE_HEADER_BYTES } from "./rrd_message.ts";

/** Values of options in an RRD header. */
const LZ4 = 1;
const PROTOBUF = 2;

/**
 * Bytes that the messages of a packet take beside the packet itself: their objects, and buffers that
 * decoding makes.
 *
 * What the packet declares is believed: a client that lies only waits for room that it does not
 * need.
 *
 * @param packet a whole RRD stream, or anything else
 * @param bytesPerMessage what the objects of one message take
 * @param maxMessages with more messages the packet will be refused
 */
export function packetWeight(
  packet: Uint8Array,
  bytesPerMessage: number,
  maxMessages: number,
): number {
  const { length } = packet;
  let weight = 0;
  let messages = 0;
  let compression = 0;
  let serializer = 0;
  for (let at = 0; at + MESSAGE_HEADER_BYTES.msgpack <= length && messages < maxMessages;) {
    if (isRrdMagic(packet, at)) {
      compression = packet[at + 8]!;
      serializer = packet[at + 9]!;
      at += RRD_HEADER_BYTES;
      continue;
    }
    const isProtobuf = serializer === PROTOBUF;
    if (isProtobuf && at + MESSAGE_HEADER_BYTES.protobuf > length) break;
    const first = u32(packet, at);
    const second = u32(packet, at + 4);
    // Behind an end marker only another stream is read.
    if (first === 0 && second === 0) {
      at += MESSAGE_HEADER_BYTES[isProtobuf ? "protobuf" : "msgpack"];
      const footer = isProtobuf ? u32(packet, at - 8) + u32(packet, at - 4) * 2 ** 32 : 0;
      if (footer > 0) at += footer + TRAILER_BYTES;
      if (!isRrdMagic(packet, at)) break;
      continue;
    }
    weight += bytesPerMessage;
    messages++;
    if (isProtobuf) {
      at += MESSAGE_HEADER_BYTES.protobuf + u32(packet, at + 8) + u32(packet, at + 12) * 2 ** 32;
      continue;
    }
    at += MESSAGE_HEADER_BYTES.msgpack;
    if (compression === LZ4) {
      weight += second;
      at += first;
    } else {
      // A message whose lengths differ is copied.
      if (first !== second) weight += MESSAGE_HEADER_BYTES.msgpack + second;
      at += second;
    }
  }
  return weight;
}
