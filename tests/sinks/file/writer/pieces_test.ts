import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { BufferPool } from "../../../../lib/memory/buffer_pool.ts";
import { inOnePart, Pieces } from "../../../../lib/sinks/file/writer/_pieces.ts";
import { WriteBudget } from "../../../../lib/sinks/file/writer/write_budget.ts";

const KIND = { isRaw: false, modern: true, counts: true };
const LARGE = 700 * 1024;

/** A large message in memory that is used again, waiting; whoever received it has done with it. */
function setUp() {
  const pool = new BufferPool();
  const budget = new WriteBudget(() => 0);
  const pieces = new Pieces(budget);
  const message = pool.take(LARGE).subarray(0, LARGE);
  pieces.add(message, KIND);
  pool.release([message.buffer]);
  /** Whether what is read next would overwrite it. */
  const isFree = () => pool.freeBytes > 0;
  return { budget, pieces, message, isFree };
}

describe("Pieces", () => {
  it("writes large messages from where they are, which stays theirs until they are written", () => {
    const { pieces, message, isFree } = setUp();
    const piece = pieces.take()!;
    assertEquals([piece.data.buffer === message.buffer, piece.data.length], [true, LARGE]);
    assertEquals(isFree(), false);
    pieces.done();
    assertEquals([isFree(), pieces.waitingBytes], [true, 0]);
  });

  it("gives back the memory of what is forgotten, but not while it may be read from", () => {
    const waiting = setUp();
    assertEquals(waiting.pieces.clear(true), { messages: 1, bytes: LARGE });
    assertEquals(waiting.isFree(), true);

    const written = setUp();
    written.pieces.take();
    assertEquals(written.pieces.clear(true), { messages: 1, bytes: LARGE });
    assertEquals([written.isFree(), written.pieces.waitingBytes], [false, 0]);
    written.pieces.releaseWritten();
    assertEquals(written.isFree(), true);
  });

  it("counts all memory that large messages keep", () => {
    const { budget, pieces } = setUp();
    const pool = new BufferPool();
    const MiB = 1024 * 1024;
    for (let i = 0; i < 8; i++) {
      assertEquals(budget.isFull, false);
      pieces.add(pool.take(LARGE).subarray(0, LARGE), KIND);
    }
    assertEquals([budget.isFull, pieces.waitingBytes < 8 * MiB], [true, true]);
    pieces.clear(true);
    assertEquals(budget.isFull, false);
  });

  it("leaves the second part of a large message where it is, and copies the first", () => {
    const pool = new BufferPool();
    const pieces = new Pieces(new WriteBudget(() => 0));
    const front = Uint8Array.of(1, 2, 3);
    const rest = pool.take(LARGE).subarray(0, LARGE).fill(7);
    pieces.add(front, KIND, rest);
    pool.release([rest.buffer]);
    front.fill(0);
    assertEquals(pieces.waitingBytes, 3 + LARGE);
    const piece = pieces.take()!;
    assertEquals([piece.messages, piece.bytes], [1, 3 + LARGE]);
    assert(piece.rest === rest && pool.freeBytes === 0);
    const whole = inOnePart(piece).data;
    assertEquals([whole.length, [...whole.subarray(0, 4)]], [3 + LARGE, [1, 2, 3, 7]]);
    pieces.done();
    assertEquals([pieces.waitingBytes, pool.freeBytes > 0], [0, true]);
  });

  it("puts both parts together where they are small, or are to be compressed", () => {
    for (const [length, isRaw] of [[1000, false], [LARGE, true]] as const) {
      const pool = new BufferPool();
      const pieces = new Pieces(new WriteBudget(() => 0));
      const rest = pool.take(LARGE).subarray(0, length).fill(7);
      pieces.add(Uint8Array.of(1, 2), { ...KIND, isRaw }, rest);
      pool.release([rest.buffer]);
      rest.fill(0);
      const piece = pieces.take()!;
      assertEquals([piece.rest, piece.data.length], [undefined, 2 + length]);
      assertEquals([...piece.data.subarray(0, 4)], [1, 2, 7, 7]);
    }
  });

  it("copies small ones", () => {
    const pool = new BufferPool();
    const pieces = new Pieces(new WriteBudget(() => 0));
    const message = pool.take(LARGE).subarray(0, 1000).fill(7);
    pieces.add(message, KIND);
    pool.release([message.buffer]);
    message.fill(8);
    assert(pieces.take()!.data.every((byte) => byte === 7));
  });
});
