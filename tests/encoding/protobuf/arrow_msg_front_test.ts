import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { ArrowMsg } from "../../../lib/encoding/arrow_msg.ts";
import { ArrowMsgFront, WriterMemory } from "../../../lib/encoding/protobuf/arrow_msg_front.ts";
import { encodeLogMsg, encodeStoreId } from "../../../lib/encoding/protobuf/encode_log_msg.ts";
import { decodeRrdHeader } from "../../../lib/encoding/rrd_header.ts";
import { Tuid } from "../../../lib/encoding/tuid.ts";

const header = decodeRrdHeader(Uint8Array.of(0x52, 0x52, 0x46, 0x32, 0, 22, 1, 0, 0, 1, 0, 0));

describe("envelopes written at once", () => {
  it("are those written field by field, whatever is in them", () => {
    const ids = [undefined, new Tuid(0x18EA51C111D17D73n, 1n), new Tuid(2n ** 64n - 1n, 2n ** 63n)];
    for (const kind of ["Recording", "Blueprint"] as const) {
      for (const id of ["", "rec", "ü".repeat(200)]) {
        const storeId = { kind, id, ...(id === "rec" && { applicationId: "app" }) };
        for (const isStatic of [true, false]) {
          const schema = Uint8Array.from({ length: 100 }, (_, at) => at);
          const fronts = new ArrowMsgFront(encodeStoreId(storeId, "v1alpha1"), isStatic, schema);
          for (const length of [0, 1, 27, 28, 1, 16_283, 16_284, 40_000, 300_000, 300_000]) {
            for (const chunkId of ids) {
              const data = new Uint8Array(schema.length + length);
              data.set(schema);
              const front = fronts.next(chunkId, length);
              const encoded = { header, bytes: new Uint8Array(0) };
              const uncompressedSize = data.length;
              const of = { bytes: data, compression: "off" as const, uncompressedSize };
              const msg = new ArrowMsg(storeId, chunkId, undefined, isStatic, of, encoded);
              const expected = encodeLogMsg(msg, "v1alpha1")!;
              assertEquals(front.bytes, expected.subarray(0, expected.length - length));
              assertEquals(front.bytes.subarray(front.schemaAt), schema);
            }
          }
        }
      }
    }
  });
});

describe("memory for messages", () => {
  it("is each one's own", () => {
    const memory = new WriterMemory();
    const rooms = Array.from({ length: 100 }, () => memory.take(5000));
    rooms.forEach(({ slab, at }, i) => slab.bytes.fill(i, at, at + 5000));
    for (const [i, { slab, at }] of rooms.entries()) {
      assertEquals(slab.bytes.subarray(at, at + 5000).every((byte) => byte === i), true);
    }
  });

  it("is taken again once it was released, of any length", () => {
    const memory = new WriterMemory();
    const buffers = new Set<ArrayBufferLike>();
    for (let i = 0; i < 8; i++) {
      const rooms = [900_000, 100, 5000, 900_000, 20_000_000, 100].map((length) => ({
        length,
        ...memory.take(length),
      }));
      rooms.forEach(({ slab, at, length }, n) => slab.bytes.fill(n, at, at + length));
      for (const [n, { slab, at, length }] of rooms.entries()) {
        assertEquals([slab.bytes[at], slab.bytes[at + length - 1]], [n, n]);
        if (length < 20_000_000) buffers.add(slab.buffer);
      }
      memory.release();
    }
    assertEquals(buffers.size, 4);
  });
});
