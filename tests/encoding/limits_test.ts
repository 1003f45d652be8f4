import { describe, it } from "node:test";
import { assertEquals, assertInstanceOf, assertLess, assertThrows } from "@std/assert";
import { DECODE_LIMITS, type DecodeLimits } from "../../lib/encoding/limits.ts";
import { decodeProtobufLogMsg } from "../../lib/encoding/protobuf/protobuf_log_msg.ts";
import { decodeRrdHeader } from "../../lib/encoding/rrd_header.ts";
import { RrdDecoder } from "../../lib/encoding/rrd/rrd_decoder.ts";
import { InvalidMessage, MessageLimit } from "../../lib/base/errors.ts";
import { arrowMsg, concat, Entries, rrdHeader, rrdMessage, setStoreInfo } from "./rrd_builder.ts";
import { leastMs } from "../least_ms.ts";

const HEADER = decodeRrdHeader(rrdHeader({ version: [0, 23, 4, 0], serializer: 2 }));
const GOOD = rrdMessage(setStoreInfo());

/** The error of a packet, which must come at once, and after which a good one decodes. */
function refused(limits: DecodeLimits, ...parts: Uint8Array[]): Error {
  const decoder = new RrdDecoder(limits);
  const packet = concat(...parts);
  // The first run warms up.
  decoder.decodePacket(packet);
  let result = decoder.decodePacket(packet);
  const ms = leastMs(() => result = decoder.decodePacket(packet), 1000);
  assertLess(ms, 1000);
  const { items, error } = result;
  assertEquals(items, []);
  assertEquals(decoder.decodePacket(concat(rrdHeader(), GOOD)).items.length, 1);
  assertInstanceOf(error, InvalidMessage);
  return error;
}

const limitOf = (error: Error) => {
  assertInstanceOf(error, MessageLimit);
  return [error.option, error.found, error.limit];
};

/** An LZ4 message that declares to inflate to so many bytes. */
function lz4Message(stored: number, declared: number): Uint8Array {
  const message = new Uint8Array(8 + stored);
  new DataView(message.buffer).setUint32(0, stored, true);
  new DataView(message.buffer).setUint32(4, declared, true);
  return message;
}

const text = (number: number, value: Uint8Array) => {
  const length = [];
  for (let rest = value.length; length.length === 0 || rest > 0; rest >>>= 7) {
    length.push(rest > 127 ? rest & 127 | 128 : rest);
  }
  return concat(Uint8Array.of(number << 3 | 2, ...length), value);
};

describe("limits of decoding", () => {
  it("messages in a packet", () => {
    const three = [rrdHeader(), GOOD, GOOD, GOOD];
    assertEquals(
      new RrdDecoder({ maxMessagesPerPacket: 3 }).decodePacket(concat(...three)).items.length,
      3,
    );
    assertEquals(limitOf(refused({ maxMessagesPerPacket: 2 }, ...three)), [
      "maxMessagesPerPacket",
      3,
      2,
    ]);
    // A file has as many as it likes.
    const file = new RrdDecoder({ maxMessagesPerPacket: 2 }).push(concat(...three));
    assertEquals(file.items.length, 3);
    const small = rrdMessage(Uint8Array.of(0x81, 0xa1, 0x78));
    const packet = [rrdHeader(), ...Array.from({ length: 5000 }, () => small)];
    assertEquals(limitOf(refused({}, ...packet)), ["maxMessagesPerPacket", 4097, 4096]);
  });

  it("depth of msgpack", () => {
    const nested = (depth: number) =>
      rrdMessage(concat(
        setStoreInfo().subarray(0, 14),
        new Uint8Array(depth).fill(0x91),
        Uint8Array.of(0xc0),
      ));
    assertEquals(limitOf(refused({}, rrdHeader(), nested(1 << 24))), ["maxDepth", 17, 16]);
    assertEquals(limitOf(refused({ maxDepth: 4 }, rrdHeader(), nested(8))), ["maxDepth", 5, 4]);
  });

  it("entries of a message in all, not of each map alone", () => {
    const times = (count: number) =>
      new Entries(
        Array.from({ length: count }, (_, i) => [
          new Entries([["name", `t${i}`], ["typ", "Sequence"]]),
          i,
        ]),
      );
    const message = (count: number) => [rrdHeader(), rrdMessage(arrowMsg(times(count)))];
    // 11 entries stand around, 3 are each timeline's.
    assertEquals(new RrdDecoder().decodePacket(concat(...message(21_000))).items.length, 1);
    assertEquals(limitOf(refused({}, ...message(22_000)))[0], "maxEntries");
    assertEquals(limitOf(refused({ maxEntries: 20 }, ...message(10)))[0], "maxEntries");
    assertEquals(
      new RrdDecoder({ maxEntries: 20 }).decodePacket(concat(...message(3))).items.length,
      1,
    );
  });

  it("text of a message in all", () => {
    const info = (length: number) => [
      rrdHeader(),
      rrdMessage(arrowMsg(new Entries([]), {
        id: "x".repeat(length),
      })),
    ];
    assertEquals(new RrdDecoder().decodePacket(concat(...info(1_000_000))).items.length, 1);
    assertEquals(limitOf(refused({}, ...info(1_100_000)))[0], "maxTextBytes");
    assertEquals(limitOf(refused({ maxTextBytes: 500 }, ...info(501)))[0], "maxTextBytes");
  });

  it("ratio of LZ4, before a block is looked at", () => {
    const header = rrdHeader({ compression: 1 });
    assertEquals(limitOf(refused({}, header, lz4Message(1000, 500_000_000))), [
      "maxLz4Ratio",
      500_000,
      64,
    ]);
    assertEquals(
      limitOf(refused({ maxLz4Ratio: 10 }, header, lz4Message(2 << 20, 21 << 20)))[0],
      "maxLz4Ratio",
    );
    assertEquals(limitOf(refused({}, header, lz4Message(0, 1)))[0], "maxLz4Ratio");
  });

  it("protobuf: fields and texts of a message in all, and the ratio of its Arrow data", () => {
    const decode = (message: Uint8Array, limits: DecodeLimits = {}) =>
      decodeProtobufLogMsg(2, message, "v1alpha1", { header: HEADER, bytes: message }, {
        ...DECODE_LIMITS,
        ...limits,
      });
    const storeId = (id: string) =>
      text(1, concat(Uint8Array.of(8, 1), text(2, new TextEncoder().encode(id))));
    const message = concat(
      storeId("rec"),
      Uint8Array.of(2 << 3, 1, 3 << 3, 4, 4 << 3, 1),
      text(5, new Uint8Array(4)),
    );
    assertEquals(decode(message).kind, "ArrowMsg");
    const many = (count: number) => concat(...Array.from({ length: count }, () => storeId("x")));
    const option = (read: () => unknown) => assertThrows(read, MessageLimit).option;
    assertEquals(option(() => decode(concat(many(22_000), message))), "maxEntries");
    assertEquals(option(() => decode(message, { maxEntries: 5 })), "maxEntries");
    assertEquals(
      option(() => decode(concat(storeId("x".repeat(1 << 20)), message))),
      "maxTextBytes",
    );
    const lz4 = concat(
      storeId("rec"),
      Uint8Array.of(2 << 3, 2, 3 << 3, 0xff, 0x7f, 4 << 3, 1),
      text(5, new Uint8Array(4)),
    );
    assertEquals(option(() => decode(lz4)), "maxLz4Ratio");
  });
});
