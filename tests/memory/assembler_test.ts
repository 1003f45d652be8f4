import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { Assembler } from "../../lib/memory/assembler.ts";
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
