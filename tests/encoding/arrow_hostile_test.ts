import { describe, it } from "node:test";
import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { readSchema } from "../../lib/encoding/arrow/arrow_ipc.ts";
import { readTimepoint } from "../../lib/encoding/arrow/arrow_timepoint.ts";
import { RrdDecoder } from "../../lib/encoding/rrd/rrd_decoder.ts";
import { InvalidMessage } from "../../lib/base/errors.ts";
import { fixture } from "../fixtures.ts";
import { grpcMessages } from "../grpc_frames.ts";
import { seeded } from "../random.ts";
import { cases } from "../counts.ts";

/** Random cases that are tried. */
const ROUNDS = cases(10_000, 2500);

/** Small real chunks, of SDK 0.22 and later ones. */
const CHUNKS = [
  ...new RrdDecoder().push(fixture("encodings/0.22.1-mixed-protobuf-off.rrd")).items,
  ...["0.23.4-mixed", "0.36.2-mixed", "0.41.0-mixed"].flatMap(grpcMessages),
].filter((msg) => msg.kind === "ArrowMsg").map((msg) => msg.ipc()).filter((ipc) =>
  ipc.length < 5000
);

function schemaBytes(ipc: Uint8Array): number {
  return 8 + new DataView(ipc.buffer, ipc.byteOffset).getUint32(4, true);
}

/** Runs what reads hostile bytes; only `InvalidMessage` may come out of it. */
function survive(read: () => unknown, what: string): boolean {
  try {
    read();
    return true;
  } catch (error) {
    assertInstanceOf(error, InvalidMessage, `${what}: ${error}`);
    return false;
  }
}

describe("hostile Arrow metadata", () => {
  it("gives nothing but InvalidMessage over thousands of damaged streams", () => {
    const seed = 20_240_601;
    const random = seeded(seed);
    const below = (n: number) => Math.floor(random() * n);
    const counts = { read: 0, refused: 0 };
    for (let round = 0; round < ROUNDS; round++) {
      const ipc = CHUNKS[below(CHUNKS.length)]!.slice();
      const view = new DataView(ipc.buffer);
      // Damage where the metadata is: beyond it there are only values.
      const end = Math.min(ipc.length, schemaBytes(ipc) + 600) - 4;
      for (let n = 1 + below(4); n > 0; n--) {
        const at = below(end);
        const kind = below(4);
        if (kind === 0) ipc[at] = below(256);
        else if (kind === 1) ipc[at]! ^= 1 << below(8);
        else if (kind === 2) view.setUint32(at & ~3, below(64), true);
        else view.setInt32(at & ~3, [-1, 0x7fffffff, -below(4096), below(4096)][below(4)]!, true);
      }
      const cut = below(10) === 0 ? ipc.slice(0, below(ipc.length)) : ipc;
      const what = `seed ${seed}, round ${round}`;
      const isRead = survive(() => readSchema(cut), what);
      survive(() => readTimepoint(cut), what);
      counts[isRead ? "read" : "refused"]++;
    }
    assert(counts.refused > 0.3 * ROUNDS && counts.read > ROUNDS / 10, JSON.stringify(counts));
  });

  it("stops at tables that unfold to billions", () => {
    assertEquals(readSchema(unfoldingSchema(3, 10)).fields[0]!.children.length, 10);
    assertThrows(() => readSchema(unfoldingSchema(10, 100)), InvalidMessage, "tables");
    assertThrows(() => readSchema(unfoldingSchema(2, 70_000)), InvalidMessage, "tables");
    assertThrows(() => readSchema(unfoldingSchema(20, 1)), InvalidMessage, "nested deeper");
  });
});

/** An Arrow schema message of fields in fields, all children of a field being one and the same. */
function unfoldingSchema(depth: number, children: number): Uint8Array {
  const fieldBytes = 20 + 4 * children;
  const bytes = new Uint8Array(8 + 96 + depth * fieldBytes + 4);
  const frame = new DataView(bytes.buffer);
  frame.setUint32(0, 0xffffffff, true);
  frame.setUint32(4, bytes.length - 8, true);
  const view = new DataView(bytes.buffer, 8);
  const u16s = (at: number, ...values: number[]) =>
    values.forEach((value, i) => view.setUint16(at + 2 * i, value, true));
  const u32 = (at: number, value: number) => view.setUint32(at, value, true);
  const point = (at: number, to: number) => u32(at, to - at);
  point(0, 16);
  u16s(4, 10, 12, 0, 8, 4); // vtable of the message: version, type of header, header
  u32(16, 16 - 4);
  point(20, 36);
  view.setUint8(24, 1); // a schema
  u16s(28, 8, 8, 0, 4); // vtable of the schema: endianness, fields
  u32(36, 36 - 28);
  point(40, 44);
  u32(44, 1);
  point(48, 96);
  // Vtable of a field: name, nullable, number of the type, type, dictionary, children.
  u16s(52, 16, 16, 0, 0, 12, 4, 0, 8);
  u16s(72, 4, 4); // vtable of the empty table at the end, which every type is
  const end = 96 + depth * fieldBytes;
  u32(end, end - 72);
  for (let level = 0; level < depth; level++) {
    const field = 96 + level * fieldBytes;
    const count = level + 1 === depth ? 0 : children;
    u32(field, field - 52);
    point(field + 4, end);
    point(field + 8, field + 16);
    view.setUint8(field + 12, 12); // a list
    u32(field + 16, count);
    for (let i = 0; i < count; i++) point(field + 20 + 4 * i, field + fieldBytes);
  }
  return bytes;
}
