import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { BufferPool, holdBytes, isReused } from "../../lib/memory/buffer_pool.ts";

const KiB = 1024;

describe("BufferPool", () => {
  it("gives a buffer again once its last user has done with it", () => {
    const pool = new BufferPool();
    const first = pool.take(256 * KiB);
    pool.acquire([first.buffer]);
    pool.release([first.buffer]);
    assert(pool.take(256 * KiB).buffer !== first.buffer);
    pool.release([first.buffer]);
    assert(pool.take(200 * KiB).buffer === first.buffer);
  });

  it("takes powers of two, and says of their views that they will be overwritten", () => {
    const pool = new BufferPool();
    const taken = pool.take(900 * KiB);
    assertEquals(taken.length, 1024 * KiB);
    assert(isReused(taken.subarray(5, 9)));
  });

  it("lets small and huge ones go their way, and what is not its own", () => {
    const pool = new BufferPool();
    for (const bytes of [1, 64 * KiB - 1, 8 * KiB * KiB + 1]) {
      const taken = pool.take(bytes);
      assertEquals([taken.length, isReused(taken)], [bytes, false]);
      pool.acquire([taken.buffer]);
      pool.release([taken.buffer]);
      pool.release([taken.buffer]);
    }
    assertEquals(pool.freeBytes, 0);
  });

  it("takes over what a runtime made, and frees it with its last user", () => {
    const pool = new BufferPool();
    const [large, small, power] = [100_000, 1000, 128 * KiB].map((size) =>
      new Uint8Array(size)
    ) as [Uint8Array, Uint8Array, Uint8Array];
    for (const { buffer } of [large, small, power]) pool.adopt(buffer);
    assertEquals([large, small, power].map(isReused), [true, false, true]);
    pool.acquire([large.buffer]);
    pool.release([large.buffer, small.buffer, power.buffer]);
    assertEquals([large.length, small.length], [100_000, 1000]);
    pool.release([large.buffer]);
    assertEquals(large.length, 0);
    // Of a size that is asked for it is kept.
    assert(pool.take(100 * KiB).buffer === power.buffer);
  });

  it("leaves a buffer alone whose bytes are held", () => {
    const pool = new BufferPool();
    const taken = pool.take(64 * KiB);
    const release = holdBytes(taken.subarray(5, 9));
    pool.release([taken.buffer]);
    assertEquals(pool.freeBytes, 0);
    release!();
    assertEquals(pool.freeBytes, 64 * KiB);
    assertEquals(holdBytes(new Uint8Array(9)), undefined);
  });

  it("is not given a buffer twice", () => {
    const pool = new BufferPool();
    const { buffer } = pool.take(64 * KiB);
    pool.release([buffer]);
    pool.release([buffer]);
    assertEquals(pool.freeBytes, 64 * KiB);
    assert(pool.take(64 * KiB).buffer !== pool.take(64 * KiB).buffer);
  });

  it("keeps 16 MiB of what is unused, and none of it after clear", () => {
    const pool = new BufferPool();
    const taken = Array.from({ length: 30 }, () => pool.take(1024 * KiB));
    pool.release(taken.map(({ buffer }) => buffer));
    assertEquals(pool.freeBytes, 16 * KiB * KiB);
    pool.clear();
    assertEquals(pool.freeBytes, 0);
  });
});
