import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { freeMemory } from "../../lib/memory/free_memory.ts";
import { PIECE_BYTES, PieceSlabs } from "../../lib/memory/piece_slabs.ts";

const MIB = 2 ** 20;

describe("PieceSlabs", () => {
  it("are apart from each other, and the foremost is taken again", () => {
    const pieces = new PieceSlabs(PIECE_BYTES);
    const [first, second] = [pieces.take(), pieces.take()];
    first.fill(1);
    second.fill(2);
    assertEquals([first.length, first.at(-1), second[0]], [PIECE_BYTES, 1, 2]);
    assertEquals(pieces.bytesInUse, 2 * PIECE_BYTES);
    assert(pieces.release(first));
    assertEquals(pieces.take().byteOffset, first.byteOffset);
    assertEquals(pieces.release(new Uint8Array(PIECE_BYTES)), false);
  });

  it("give all memory back when many were used, and keep a little for few", () => {
    const pieces = new PieceSlabs(PIECE_BYTES);
    const taken = Array.from({ length: 400 }, () => pieces.take());
    assertEquals(pieces.bytes, 120 * MIB);
    for (const piece of taken.splice(0, 399)) pieces.release(piece);
    assertEquals(pieces.bytes, 40 * MIB);
    pieces.release(taken[0]!);
    assertEquals([pieces.bytes, taken[0]!.length], [0, 0]);
    const some = Array.from({ length: 64 }, () => pieces.take());
    for (const piece of some) pieces.release(piece);
    assertEquals([pieces.bytes, pieces.bytesInUse], [40 * MIB, 0]);
    const again = pieces.take();
    assertEquals(again.buffer, some[0]!.buffer);
    pieces.clear();
    assertEquals(pieces.bytes, 40 * MIB);
    pieces.release(again);
    pieces.clear();
    assertEquals(pieces.bytes, 0);
  });

  it("stay once it is quiet where that costs little", () => {
    const pieces = new PieceSlabs(PIECE_BYTES);
    const few = Array.from({ length: 8 }, () => pieces.take());
    for (const piece of few) pieces.release(piece);
    pieces.clear();
    assertEquals([pieces.bytes, few[0]!.length], [40 * MIB, PIECE_BYTES]);
    assertEquals(pieces.take().buffer, few[0]!.buffer);
  });
});

describe("freeMemory", () => {
  it("empties all views of a buffer that is worth it", () => {
    const large = new Uint8Array(100_000);
    freeMemory(large.buffer);
    assertEquals([large.length, large.buffer.byteLength], [0, 0]);
    const small = new Uint8Array(100);
    freeMemory(small.buffer);
    assertEquals(small.length, 100);
  });
});
