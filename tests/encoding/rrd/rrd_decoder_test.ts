import { encode } from "@msgpack/msgpack";
import { describe, it } from "node:test";
import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { RrdDecoder } from "../../../lib/encoding/rrd/rrd_decoder.ts";
import { decodeRrdHeader, rrdVersionText } from "../../../lib/encoding/rrd_header.ts";
import {
  InvalidMessage,
  MessageTooLarge,
  NotAnRrd,
  OldRrdVersion,
  TruncatedRrd,
  UnknownRrdOptions,
} from "../../../lib/base/errors.ts";
import { capturePackets, fixture } from "../../fixtures.ts";
import { concat, rrdHeader, rrdMessage, setStoreInfo } from "../rrd_builder.ts";

const decodePacket = (...parts: Uint8Array[]) => new RrdDecoder().decodePacket(concat(...parts));
const kinds = (...parts: Uint8Array[]) => {
  const { items, error } = decodePacket(...parts);
  return error ?? items.map(({ kind }) => kind);
};
const info = rrdMessage(setStoreInfo());
const END = new Uint8Array(8);

describe("RrdDecoder, what a packet may be", () => {
  it("several messages, with and without an end marker", () => {
    assertEquals(kinds(rrdHeader(), info, info), ["SetStoreInfo", "SetStoreInfo"]);
    assertEquals(kinds(rrdHeader(), info, info, END), ["SetStoreInfo", "SetStoreInfo"]);
  });

  it("a header alone, with and without an end marker", () => {
    assertEquals(kinds(rrdHeader()), []);
    assertEquals(kinds(rrdHeader(), END), []);
  });

  it("bytes behind an end marker are ignored", () => {
    assertEquals(kinds(rrdHeader(), info, END, info), ["SetStoreInfo"]);
    assertEquals(kinds(rrdHeader(), info, END, Uint8Array.of(1, 2, 3)), ["SetStoreInfo"]);
  });

  it("bytes behind the msgpack value inside a message are ignored", () => {
    const padded = rrdMessage(concat(setStoreInfo(), Uint8Array.of(1, 2, 3)));
    assertEquals(kinds(rrdHeader(), padded, info), ["SetStoreInfo", "SetStoreInfo"]);
  });

  it("one to seven stray bytes where a message should begin are ignored", () => {
    for (let n = 1; n <= 7; n++) {
      assertEquals(kinds(rrdHeader(), info, new Uint8Array(n).fill(9)), ["SetStoreInfo"]);
    }
  });

  it("fewer than 12 bytes are an error", () => {
    for (let n = 0; n < 12; n++) {
      const { error } = decodePacket(rrdHeader().subarray(0, n));
      assertInstanceOf(error, TruncatedRrd);
      assertEquals([error.receivedBytes, error.expectedBytes], [n, 12]);
    }
  });

  it("one bad message drops the good ones of its packet, and the next packet is fine", () => {
    const decoder = new RrdDecoder();
    const bad = decoder.decodePacket(concat(rrdHeader(), info, rrdMessage(Uint8Array.of(0x90))));
    assertEquals(bad.items, []);
    assertInstanceOf(bad.error, InvalidMessage);
    assertEquals(decoder.decodePacket(concat(rrdHeader(), info)).items.length, 1);
  });

  it("protobuf goes with and without its end marker", () => {
    const file = fixture("encodings/0.22.1-mixed-protobuf-off.rrd");
    assertEquals(decodePacket(file).items.length, decodePacket(file.subarray(0, -16)).items.length);
  });
});

describe("RrdDecoder, streams behind each other", () => {
  const read = (bytes: Uint8Array) => {
    const decoder = new RrdDecoder();
    const { items, error = decoder.finish().error } = decoder.push(bytes);
    if (error) throw error;
    return items;
  };

  it("a new header may stand where a message could, and behind an end marker", () => {
    const [a, b] = [rrdHeader(), rrdHeader({ version: [0, 18, 2, 0] })];
    for (const middle of [new Uint8Array(0), END]) {
      const items = read(concat(a, info, middle, b, info, info, END));
      assertEquals(
        items.map(({ encoded }) => rrdVersionText(encoded.header.version)),
        ["0.22.1", "0.18.2", "0.18.2"],
      );
    }
  });

  it("the four encodings one after another", () => {
    const files = ["msgpack-off", "protobuf-lz4", "msgpack-lz4", "protobuf-off"]
      .map((name) => fixture(`encodings/0.22.1-mixed-${name}.rrd`));
    const each = files.map((file) => read(file).length);
    assertEquals(read(concat(...files)).length, each.reduce((a, b) => a + b));
  });

  it("protobuf messages of 256, 257, 512 and 513 bytes are no headers", () => {
    for (const length of [256, 257, 512, 513]) {
      const header = rrdHeader({ version: [0, 22, 1, 0], serializer: 2 });
      const message = new Uint8Array(16 + length);
      const view = new DataView(message.buffer);
      view.setBigUint64(0, 9n, true);
      view.setBigUint64(8, BigInt(length), true);
      const [msg] = read(concat(header, message, message));
      assertEquals(msg?.kind === "UnknownMsg" && msg.name, "9");
    }
  });

  it("the footer of newer files is passed over, and what follows it is read", () => {
    const header = rrdHeader({ version: [0, 30, 0, 0], serializer: 2 });
    const footer = new Uint8Array(16 + 100 + 32);
    new DataView(footer.buffer).setBigUint64(8, 100n, true);
    const whole = concat(header, footer, rrdHeader(), info);
    assertEquals(read(whole).length, 1);
    assertThrows(() => read(concat(header, footer.subarray(0, 120))), TruncatedRrd);
  });

  it("tells where it is", () => {
    const decoder = new RrdDecoder();
    decoder.push(concat(rrdHeader(), info, info.subarray(0, 20)));
    assertEquals(decoder.offset, 12 + info.length);
    decoder.push(info.subarray(20));
    assertEquals(decoder.offset, 12 + 2 * info.length);
  });
});

describe("RrdDecoder, what it refuses", () => {
  it("headers that no Rerun writes", () => {
    const header = (at: number, byte: number) => {
      const bytes = rrdHeader();
      bytes[at] = byte;
      return assertThrows(() => decodeRrdHeader(bytes), Error);
    };
    assertInstanceOf(header(0, 0x51), NotAnRrd);
    assertEquals(
      header(3, 0x30).message,
      "Data was from an old, incompatible Rerun version (RRF0)",
    );
    assertInstanceOf(header(3, 0x31), OldRrdVersion);
    assertEquals(header(3, 0x33).message, "Not an .rrd file");
    assertInstanceOf(header(8, 2), UnknownRrdOptions);
    assertEquals(header(8, 2).message, "Unknown compression: 2");
    assertEquals(header(9, 3).message, "Unknown serializer: 3");
    assertEquals(header(9, 0).message, "Unknown serializer: 0");
    assertEquals(header(11, 1).message, "Reserved bytes not zero");
  });

  it("checks the magic first", () => {
    assertInstanceOf(decodePacket(new Uint8Array(12).fill(255)).error, NotAnRrd);
  });

  it("data that ends inside a message", () => {
    const { error } = decodePacket(rrdHeader(), info.subarray(0, -1));
    assertInstanceOf(error, TruncatedRrd);
    assertEquals([error.receivedBytes, error.expectedBytes], [info.length - 1, info.length]);
  });

  it("messages over the limit, without taking memory for them", () => {
    const limit = { maxMessageBytes: 1000 };
    const lengths = (stored: number, inflated: number) => {
      const bytes = new Uint8Array(8);
      new DataView(bytes.buffer).setUint32(0, stored, true);
      new DataView(bytes.buffer).setUint32(4, inflated, true);
      return bytes;
    };
    for (
      const [header, message, declared] of [
        [rrdHeader(), lengths(1001, 1001), 1001],
        [rrdHeader({ compression: 1 }), lengths(10, 1001), 1001],
        [rrdHeader({ compression: 1 }), lengths(4_000_000_000, 10), 4_000_000_000],
        [rrdHeader({ serializer: 2 }), concat(lengths(2, 0), lengths(0, 1)), 2 ** 32],
      ] as const
    ) {
      const { error } = new RrdDecoder(limit).decodePacket(concat(header, message));
      assertInstanceOf(error, MessageTooLarge);
      assertEquals([error.declaredBytes, error.limitBytes], [declared, 1000]);
    }
  });

  it("nothing any more after an error, until it is reset", () => {
    const decoder = new RrdDecoder();
    assert(decoder.push(new Uint8Array(12)).error);
    assertEquals(decoder.push(concat(rrdHeader(), info)), { items: [] });
    assertEquals(decoder.finish(), { items: [] });
    decoder.reset();
    assertEquals(decoder.push(concat(rrdHeader(), info)).items.length, 1);
  });
});

describe("RrdDecoder, versions and encoded bytes", () => {
  it("shows versions as Rerun does", () => {
    const text = (...version: [number, number, number, number]) =>
      rrdVersionText(decodeRrdHeader(rrdHeader({ version })).version);
    assertEquals(text(0, 22, 1, 0), "0.22.1");
    assertEquals(text(0, 23, 0, 0b01_000010), "0.23.0-rc.2");
    assertEquals(text(0, 24, 0, 0b10_000001), "0.24.0-alpha.1");
    assertEquals(text(0, 24, 0, 0b11_000001), "0.24.0-alpha.1+dev");
    assertEquals(text(0, 0, 0, 0), "0.2.0");
  });

  it("tells of every header that differs from the one before", () => {
    const seen: string[] = [];
    const decoder = new RrdDecoder({
      onHeader: ({ version }) => seen.push(rrdVersionText(version)),
    });
    const [a, b] = [rrdHeader(), rrdHeader({ version: [0, 9, 1, 0] })];
    for (const header of [a, a, b, b, a]) decoder.decodePacket(concat(header, info));
    assertEquals(seen, ["0.22.1", "0.9.1", "0.22.1"]);
  });

  it("keeps a message's bytes as views on the packet, with both lengths made equal", () => {
    const [packet] = capturePackets("0.22.1-mixed");
    const { items: [msg] } = new RrdDecoder().decodePacket(packet!);
    assertEquals(msg?.encoded.bytes.buffer, packet!.buffer);
    const unequal = info.slice();
    unequal[0]! += 1;
    const { items: [mended] } = decodePacket(rrdHeader(), unequal);
    assertEquals(mended?.encoded.bytes, info);
  });

  it("carries unknown kinds through", () => {
    const bytes = rrdMessage(encode({ EntityPathOpMsg: [1, 2] }));
    const { items: [msg] } = decodePacket(rrdHeader({ version: [0, 9, 1, 0] }), bytes);
    assertEquals(msg?.kind === "UnknownMsg" && msg.name, "EntityPathOpMsg");
    assertEquals(msg?.encoded.bytes, bytes);
  });
});
