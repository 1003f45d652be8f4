import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { BincodeWriter } from "../../../lib/encoding/bincode/bincode.ts";
import { viewerFrame } from "../../../lib/encoding/bincode/bincode_log_msg.ts";
import { RrdDecoder } from "../../../lib/encoding/rrd/rrd_decoder.ts";
import type { LogMsg } from "../../../lib/encoding/log_msg.ts";
import { capturePackets, CAPTURES, fixture } from "../../fixtures.ts";
import { realFrames } from "../../viewers/messages.ts";

const bytes = (write: (writer: BincodeWriter) => void) => {
  const writer = new BincodeWriter(1);
  write(writer);
  return Array.from(writer.finish());
};

describe("bincode", () => {
  it("writes unsigned integers in their shortest form", () => {
    const cases: [number | bigint, number[]][] = [
      [0, [0]],
      [250, [250]],
      [251, [0xfb, 251, 0]],
      [65_535n, [0xfb, 255, 255]],
      [65_536, [0xfc, 0, 0, 1, 0]],
      [0xffff_ffffn, [0xfc, 255, 255, 255, 255]],
      [0x1_0000_0000n, [0xfd, 0, 0, 0, 0, 1, 0, 0, 0]],
      [2n ** 64n - 1n, [0xfd, 255, 255, 255, 255, 255, 255, 255, 255]],
    ];
    for (const [value, expected] of cases) assertEquals(bytes((w) => w.uvar(value)), expected);
  });

  it("writes signed integers in zigzag", () => {
    const cases: [bigint, number[]][] = [
      [0n, [0]],
      [-1n, [1]],
      [1n, [2]],
      [-126n, [0xfb, 251, 0]],
      [2n ** 63n - 1n, [0xfd, 254, 255, 255, 255, 255, 255, 255, 255]],
      [-(2n ** 63n), [0xfd, 255, 255, 255, 255, 255, 255, 255, 255]],
    ];
    for (const [value, expected] of cases) assertEquals(bytes((w) => w.ivar(value)), expected);
  });

  it("writes texts with their length in UTF-8, and grows", () => {
    assertEquals(bytes((w) => w.str("ü").bool(true)), [2, 0xc3, 0xbc, 1]);
    assertEquals(bytes((w) => w.str("x".repeat(300))).length, 303);
  });

  it("writes short texts as the runtime's encoder would", () => {
    for (const length of [0, 1, 63, 64, 65]) {
      for (const end of ["", "\x7f", "\x80", "é", "漢", "😀", "\ud800"]) {
        for (const text of ["a".repeat(length) + end, end + "a".repeat(length)]) {
          const plain = new TextEncoder().encode(text);
          assertEquals(
            bytes((w) => w.u8(9).str(text).u8(7)),
            [9, plain.length, ...plain, 7],
          );
        }
      }
    }
  });

  it("begins anew after clear, and puts a tail behind", () => {
    const writer = new BincodeWriter().u8(1).clear().u8(2);
    assertEquals(Array.from(writer.finish(Uint8Array.of(3, 4))), [2, 3, 4]);
  });
});

function messages(streams: readonly Uint8Array[]): LogMsg[] {
  return streams.flatMap((stream) => {
    const { items, error } = new RrdDecoder().push(stream);
    if (error !== undefined) throw error;
    return items;
  });
}

const framed = (msgs: readonly LogMsg[]) => msgs.map((msg) => viewerFrame(msg));

/** A set, for the server sends in another order than messages came in. */
const texts = (frames: readonly (Uint8Array | string)[]) =>
  frames.map((f) => typeof f === "string" ? f : String.fromCharCode(...f)).sort();

describe("frames for viewers", () => {
  for (const name of ["0.22.1-mixed", "0.22.1-blueprint"]) {
    it(`of ${name} are those of the real server`, () => {
      assertEquals(texts(framed(messages(capturePackets(name)))), texts(realFrames(name)));
    });
  }

  it("are the same whatever the encoding a message came in", () => {
    const of = (encoding: string) =>
      framed(messages([fixture(`encodings/0.22.1-mixed-${encoding}.rrd`)]));
    const expected = of("msgpack-off");
    for (const other of ["msgpack-lz4", "protobuf-off", "protobuf-lz4"]) {
      assertEquals(of(other), expected, other);
    }
  });

  it("are made of what every SDK since 0.9 sends", () => {
    for (const name of CAPTURES) {
      const left = framed(messages(capturePackets(name))).filter((f) => typeof f === "string");
      // 0.9 has a kind of its own, which no viewer since takes.
      if (!name.startsWith("0.9")) assertEquals(left, [], name);
      else assertEquals(left.filter((why) => why !== "unknownKind"), [], name);
    }
  });
});
