import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { Assembler, leadFor } from "../../lib/memory/assembler.ts";
import { BufferPool } from "../../lib/memory/buffer_pool.ts";
import { FIRST_PIECES, PIECES } from "../../lib/memory/piece_slabs.ts";
import { seeded } from "../random.ts";

/** Numbers that repeat nowhere near the size of a piece. */
function numbered(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 2654435761) >>> 13;
  return bytes;
}

const inUse = () => FIRST_PIECES.bytesInUse + PIECES.bytesInUse;

describe("Assembler", () => {
  it("puts any pieces together, copied or read where they belong, with a pool and without", () => {
    const random = seeded(1);
    for (const pool of [undefined, new BufferPool()]) {
      const assembler = new Assembler(pool, pool !== undefined);
      for (const length of [10, 65_536, 65_537, 400_000, 2_000_000, 9_000_000, 300_000]) {
        const item = numbered(length);
        for (let at = 0; at < length;) {
          const room = random() < 0.7 ? assembler.readInto(length) : undefined;
          const most = room?.length ?? 500_000;
          const piece = item.subarray(at, at + Math.ceil(random() * most));
          room?.set(piece);
          assembler.fill(room?.subarray(0, piece.length) ?? piece, 0, length);
          at += piece.length;
          assertEquals(assembler.filled, at);
          assert(assembler.capacity >= at);
        }
        assert(Buffer.compare(assembler.take(), item) === 0, `${length}`);
        assembler.releaseTaken();
        assertEquals([assembler.filled, assembler.capacity, inUse()], [0, 0, 0]);
      }
    }
  });

  it("leaves bytes free before an item where it is asked to, so that its data lies at a multiple of 8", () => {
    for (const pool of [undefined, new BufferPool()]) {
      const assembler = new Assembler(pool, pool !== undefined);
      for (const offset of [0, 189, 190, 5, 1024]) {
        assembler.lead = leadFor(offset);
        // The first is larger than any before it, and put together of several pieces.
        for (let round = 0; round < 3; round++) {
          const item = numbered(1_000_000);
          assembler.fill(item.subarray(0, 70_000), 0, item.length);
          const room = assembler.readInto(item.length)!;
          room.set(item.subarray(70_000, 70_000 + room.length));
          assembler.fill(room, 0, item.length);
          assembler.fill(item, 70_000 + room.length, item.length);
          const whole = assembler.take();
          assert(Buffer.compare(whole, item) === 0);
          assertEquals((whole.byteOffset + offset) % 8, 0);
          assembler.releaseTaken();
        }
      }
    }
    assertEquals([0, 1, 7, 8, 189].map(leadFor), [0, 7, 1, 0, 3]);
  });

  it("gives all back at once when it is cleared, all but the place of a read when it is shed", () => {
    const assembler = new Assembler(undefined, true);
    assembler.fill(numbered(1_000_000), 0, 400_000_000);
    const room = assembler.readInto(400_000_000)!;
    assert(assembler.capacity < 1_000_000 + 256 * 1024);
    assembler.shed();
    assertEquals([assembler.capacity, inUse()], [256 * 1024, 256 * 1024]);
    assert(room.length > 0);
    assembler.clear();
    assertEquals([assembler.capacity, inUse()], [0, 0]);
  });

  it("may be forgotten half way, where nobody said that it is cleared", () => {
    new Assembler().fill(numbered(1_000_000), 0, 400_000_000);
    assertEquals(inUse(), 0);
  });
});
