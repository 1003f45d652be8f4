import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { ArrowMsg } from "../../../lib/encoding/arrow_msg.ts";
import { ArrowMsgWriter, WriterMemory } from "../../../lib/encoding/protobuf/arrow_msg_writer.ts";
import { encodeLogMsg } from "../../../lib/encoding/protobuf/encode_log_msg.ts";
import { decodeRrdHeader } from "../../../lib/encoding/rrd_header.ts";
import { Tuid } from "../../../lib/encoding/tuid.ts";

const header = decodeRrdHeader(Uint8Array.of(0x52, 0x52, 0x46, 0x32, 0, 22, 1, 0, 0, 1, 0, 0));

describe("envelopes written at once", () => {
  it("are those written field by field, whatever is in them", () => {
    const ids = [undefined, new Tuid(0x18EA51C111D17D73n, 1n), new Tuid(2n ** 64n - 1n, 2n ** 63n)];
    for (const kind of ["Recording", "Blueprint"] as const) {
      for (const id of ["", "rec", "ü".repeat(200)]) {
        const storeId = { kind, id, ...(id === "rec" && { applicationId: "app" }) };
        const writer = new ArrowMsgWriter(storeId, new WriterMemory());
        for (const length of [1, 127, 128, 16_383, 16_384, 40_000, 300_000]) {
          for (const [i, chunkId] of ids.entries()) {
            const data = Uint8Array.from({ length }, (_, at) => at + i);
            const { bytes, arrow } = writer.room(chunkId, i % 2 === 0, length);
            arrow.set(data);
            const encoded = { header, bytes: new Uint8Array(0) };
            const of = { bytes: data, compression: "off" as const, uncompressedSize: length };
            const msg = new ArrowMsg(storeId, chunkId, undefined, i % 2 === 0, of, encoded);
            const expected = encodeLogMsg(msg, "v1alpha1")!;
            assertEquals(bytes, expected);
          }
        }
      }
    }
  });

  it("lie in memory of their own", () => {
    const writer = new ArrowMsgWriter({ kind: "Recording", id: "rec" }, new WriterMemory());
    const rooms = Array.from({ length: 100 }, () => writer.room(undefined, false, 5000));
    rooms.forEach(({ arrow }, i) => arrow.fill(i));
    for (const [i, { arrow, bytes }] of rooms.entries()) {
      assertEquals(arrow.every((byte) => byte === i), true);
      assertEquals(bytes.subarray(-5000), arrow);
    }
  });

  it("take memory again once it was released, of any length", () => {
    const memory = new WriterMemory();
    const writer = new ArrowMsgWriter({ kind: "Recording", id: "rec" }, memory);
    const buffers = new Set<ArrayBufferLike>();
    for (let i = 0; i < 8; i++) {
      const rooms = [900_000, 100, 5000, 900_000, 20_000_000, 100].map((length) =>
        writer.room(undefined, false, length)
      );
      rooms.forEach(({ arrow }, n) => arrow.fill(n));
      for (const [n, { arrow, bytes }] of rooms.entries()) {
        assertEquals([arrow[0], arrow.at(-1), bytes.at(-1)], [n, n, n]);
        if (arrow.length < 20_000_000) buffers.add(arrow.buffer);
      }
      memory.release();
    }
    assertEquals(buffers.size, 4);
  });
});
