/** Packets that are small, or look harmless, and cost much where nobody counts. */
import { DECODE_LIMITS } from "../../lib/encoding/limits.ts";
import {
  arrowMsg,
  concat,
  encodeMsgpack,
  Entries,
  rrdHeader,
  rrdMessage,
  setStoreInfo,
} from "../encoding/rrd_builder.ts";

type Bytes = Uint8Array<ArrayBuffer>;
const MIB = 1 << 20;
const text = (value: string) => new TextEncoder().encode(value);

/** A msgpack packet in LZ4, whatever the block and what it declares. */
function lz4Packet(block: Uint8Array, declared: number): Bytes {
  const message = concat(new Uint8Array(8), block);
  const view = new DataView(message.buffer);
  view.setUint32(0, block.length, true);
  view.setUint32(4, declared, true);
  return concat(rrdHeader({ compression: 1 }), message);
}

/** A block of these bytes, and then their last one so many times: as dense as LZ4 gets. */
function run(start: Uint8Array, times: number): Bytes {
  const literals = start.length < 15 ? new Uint8Array(0) : lz4Length(start.length - 15);
  const token = Uint8Array.of((Math.min(start.length, 15) << 4) | 15);
  // A block ends with literals.
  const end = Uint8Array.of(0x10, 0);
  return concat(token, literals, start, Uint8Array.of(1, 0), lz4Length(times - 19), end);
}

/** What follows a token whose four bits are full. */
function lz4Length(more: number): Bytes {
  const bytes = new Uint8Array(Math.floor(more / 255) + 1).fill(255);
  bytes[bytes.length - 1] = more % 255;
  return bytes;
}

/** A whole ArrowMsg around so many bytes of one value. */
function denseArrow(bytes: number): Bytes {
  const envelope = arrowMsg(new Entries([]), { data: 0 });
  const start = concat(envelope.subarray(0, -2), Uint8Array.of(0xc6, 0, 0, 0, 0, 0));
  new DataView(start.buffer).setUint32(start.length - 5, bytes);
  return lz4Packet(run(start, bytes - 2), start.length + bytes - 1);
}

/** A protobuf field of bytes. */
function field(number: number, value: Uint8Array): Bytes {
  return concat(Uint8Array.of(...varint(number * 8 + 2), ...varint(value.length)), value);
}

function varint(value: number): number[] {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push(value % 128 + 128);
  return [...bytes, value];
}

function protobufPacket(kind: number, message: Uint8Array): Bytes {
  const framed = concat(new Uint8Array(16), message, new Uint8Array(16));
  const view = new DataView(framed.buffer);
  view.setUint32(0, kind, true);
  view.setUint32(8, message.length, true);
  return concat(rrdHeader({ serializer: 2 }), framed);
}

/** An ArrowMsg of a recording, with LZ4 data that declares so much. */
function protobufArrow(block: Uint8Array, declared: number): Bytes {
  const storeId = field(1, field(2, text("rec")));
  const numbers = Uint8Array.of(2 << 3, 1, 3 << 3, ...varint(declared), 4 << 3, 1);
  return protobufPacket(2, concat(storeId, numbers, field(1000, block)));
}

/** So many times these bytes. */
function repeated(bytes: Uint8Array, times: number): Bytes {
  const all = new Uint8Array(bytes.length * times);
  for (let i = 0; i < times; i++) all.set(bytes, i * bytes.length);
  return all;
}

/** In the place of a store info's fields. */
function insideStoreInfo(value: Uint8Array): Bytes {
  return concat(
    rrdHeader(),
    rrdMessage(concat(Uint8Array.of(0x81, 0xac), text("SetStoreInfo"), value)),
  );
}

/** A msgpack ArrowMsg with so many timelines, each of another name. */
function timelines(count: number): Bytes {
  const one = new Entries([[new Entries([["name", "aaaa"], ["typ", "Sequence"]]), 1]]);
  const entry = encodeMsgpack(one).subarray(3);
  const all = repeated(entry, count);
  for (let i = 0; i < count; i++) {
    const name = i.toString(36).padStart(4, "0");
    all.set(text(name), i * entry.length + 9);
  }
  const around = arrowMsg(new Entries([]));
  const data = around.length - 12;
  return concat(
    around.subarray(0, data - 3),
    Uint8Array.of(0xde, count >> 8, count),
    all,
    around.subarray(data),
  );
}

/** A packet of so many messages, the smallest there are. */
function unknownMessages(count: number): Bytes {
  return concat(rrdHeader(), repeated(rrdMessage(Uint8Array.of(0x81, 0xa1, 0x78)), count));
}

/** All of them, by name; each is to be refused. */
export const BOMBS: Readonly<Record<string, () => Bytes>> = {
  "LZ4, 1 KB that declares 500 MB": () => lz4Packet(new Uint8Array(1000), 500_000_000),
  "LZ4, 2 MB that inflate to 512 MiB": () =>
    lz4Packet(run(Uint8Array.of(0x81), 511 * MIB), 511 * MIB + 2),
  "LZ4, a whole message of 500 MB in 2 MB": () => denseArrow(500_000_000),
  "LZ4 in protobuf, 500 MB in 2 MB": () =>
    protobufArrow(run(Uint8Array.of(0), 500_000_000), 500_000_002),
  "msgpack, 4 Mi arrays in one another": () => insideStoreInfo(new Uint8Array(4 * MIB).fill(0x91)),
  "msgpack, 4 Mi maps in one another": () => insideStoreInfo(new Uint8Array(4 * MIB).fill(0x81)),
  "msgpack, an array of 4 Gi entries": () =>
    insideStoreInfo(Uint8Array.of(0xdd, 255, 255, 255, 255)),
  "msgpack, a map of 4 Gi entries": () => insideStoreInfo(Uint8Array.of(0xdf, 255, 255, 255, 255)),
  "msgpack, text of 4 GiB": () => insideStoreInfo(Uint8Array.of(0xdb, 255, 255, 255, 255)),
  "msgpack, 65,535 arrays of 65,535 entries": () =>
    insideStoreInfo(
      concat(
        Uint8Array.of(0xdc, 255, 255),
        repeated(concat(Uint8Array.of(0xdc, 255, 255), new Uint8Array(65_535)), 200),
      ),
    ),
  "msgpack, 60,000 timelines": () => concat(rrdHeader(), rrdMessage(timelines(60_000))),
  "msgpack, a name of 15 MB": () =>
    concat(rrdHeader(), rrdMessage(encodeMsgpack({ ["x".repeat(15_000_000)]: 1 }))),
  "protobuf, 4 Mi groups in one another": () =>
    protobufPacket(1, new Uint8Array(4 * MIB).fill(3 << 3 | 3)),
  "protobuf, 1 Mi fields": () => protobufPacket(1, repeated(Uint8Array.of(9 << 3, 1), MIB)),
  "protobuf, text of 15 MB": () =>
    protobufPacket(2, field(1, field(2, new Uint8Array(15_000_000).fill(65)))),
  "protobuf, a length of 4 GiB": () => protobufPacket(1, Uint8Array.of(10, ...varint(2 ** 32 - 1))),
  "a packet of 100,000 messages": () => unknownMessages(100_000),
  "a packet of 200,000 headers": () =>
    concat(
      repeated(concat(rrdHeader(), rrdHeader({ version: [0, 21, 0, 0] })), 100_000),
      rrdMessage(Uint8Array.of(0xc0)),
    ),
};

/** As many messages as a packet may have: what a bomb's time is compared with. */
export const FULL_PACKET: Bytes = unknownMessages(DECODE_LIMITS.maxMessagesPerPacket);

/** What decodes before and after. */
export const GOOD_PACKET: Bytes = concat(rrdHeader(), rrdMessage(setStoreInfo()));
