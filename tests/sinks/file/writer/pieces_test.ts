import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { BufferPool } from "../../../../lib/memory/buffer_pool.ts";
import { Pieces } from "../../../../lib/sinks/file/writer/_pieces.ts";
import { WHOLE_BYTES, WriteBudget } from "../../../../lib/sinks/file/writer/write_budget.ts";

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

  it("copies messages in two parts, and uses the memory of large ones again", () => {
    for (const length of [1000, 300_000, LARGE, 3 * LARGE]) {
      const pool = new BufferPool();
      const budget = new WriteBudget(() => 0);
      const pieces = new Pieces(budget);
      const buffers = new Set<ArrayBufferLike>();
      for (let i = 1; i < 4; i++) {
        const front = Uint8Array.of(i, 2);
        const rest = pool.take(length).subarray(0, length).fill(7);
        pieces.add(front, KIND, rest);
        pool.release([rest.buffer]);
        front.fill(0);
        rest.fill(0);
        assertEquals(pieces.waitingBytes, 2 + length);
        const { data, messages, bytes } = pieces.take()!;
        assertEquals([data.length, messages, bytes], [2 + length, 1, 2 + length]);
        assertEquals([...data.subarray(0, 4), data.at(-1)], [i, 2, 7, 7, 7]);
        buffers.add(data.buffer);
        pieces.done();
      }
      assertEquals([pieces.waitingBytes, budget.isFull], [0, false]);
      assertEquals(buffers.size, length > 2 * 2 ** 20 ? 3 : 1, `${length}`);
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

  it("say that there is enough for a write, once much waits or a message is large", () => {
    const budget = new WriteBudget(() => 0);
    const pieces = new Pieces(budget);
    for (let bytes = 0; bytes < WHOLE_BYTES; bytes += 1024) {
      assertEquals(budget.hasWhole, false);
      pieces.add(new Uint8Array(1024), KIND);
    }
    // It is told when a chunk is full.
    while (!budget.hasWhole && pieces.waitingBytes < 2 * WHOLE_BYTES) {
      pieces.add(new Uint8Array(1024), KIND);
    }
    assertEquals([budget.hasWhole, pieces.waitingBytes > WHOLE_BYTES], [true, true]);
    assertEquals(setUp().budget.hasWhole, true);
  });

  it("tell when the piece is written that comes next, or is forgotten", async () => {
    const { pieces } = setUp();
    const order: string[] = [];
    const written = pieces.written.then(() => order.push("written"));
    pieces.take();
    await Promise.resolve();
    order.push("taken");
    pieces.done();
    await written;
    pieces.add(new Uint8Array(10), KIND);
    const forgotten = pieces.written.then(() => order.push("forgotten"));
    pieces.clear(false);
    await forgotten;
    assertEquals(order, ["taken", "written", "forgotten"]);
  });
});
