import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import {
  FIRST_READ,
  MAX_READ,
  MIN_READ,
  ReadSizer,
} from "../../../lib/adapters/tcp/_read_sizer.ts";
import { BufferPool } from "../../../lib/memory/buffer_pool.ts";
import { seeded } from "../../random.ts";

/** Fills every space up, so many times; tells the lengths. */
function fill(sizer: ReadSizer, times: number): number[] {
  return Array.from({ length: times }, () => sizer.take(sizer.space().length).length);
}

describe("ReadSizer", () => {
  it("begins with 512 bytes, then 4 KiB and doubles up to 256 while reads fill their buffer", () => {
    const KiB = 1024;
    assertEquals(
      fill(new ReadSizer(), 10),
      [0.5, 4, 8, 16, 32, 64, 128, 256, 256, 256].map((size) => size * KiB),
    );
  });

  it("goes from 4 KiB on to what a pool has", () => {
    const sizer = new ReadSizer(new BufferPool());
    assertEquals(fill(sizer, 6).map((length) => length / 1024), [0.5, 4, 64, 128, 256, 256]);
  });

  it("says how much memory waits to be read into, where it is much", () => {
    const sizer = new ReadSizer();
    assertEquals(sizer.spaceBytes, 0);
    fill(sizer, 8);
    assertEquals(sizer.spaceBytes, 0);
    sizer.space();
    assertEquals(sizer.spaceBytes, MAX_READ);
    sizer.take(100);
    sizer.space();
    assertEquals(sizer.spaceBytes, 0);
  });

  it("stays with the first 512 bytes while little comes", () => {
    const sizer = new ReadSizer();
    sizer.space();
    sizer.take(7);
    assertEquals([sizer.space().length, sizer.space().buffer.byteLength], [505, 512]);
    sizer.take(400);
    assertEquals(sizer.space().length, 512);
  });

  it("reads into the rest of a buffer, not into what was taken", () => {
    const sizer = new ReadSizer();
    fill(sizer, 1);
    const first = sizer.space();
    first.fill(1);
    const taken = sizer.take(2000);
    const second = sizer.space();
    assertEquals(second.buffer, first.buffer);
    assertEquals(second.length, 4096 - 2000);
    second.fill(2);
    assertEquals(taken, new Uint8Array(2000).fill(1));
    assertEquals(sizer.take(5), new Uint8Array(5).fill(2));
  });

  it("takes a new buffer where the rest is less than a quarter", () => {
    const sizer = new ReadSizer();
    fill(sizer, 1);
    const first = sizer.space();
    sizer.take(3073);
    assert(sizer.space().buffer !== first.buffer);
    assertEquals(sizer.space().length, MIN_READ);
  });

  it("waits with 4 KiB once the socket is empty, then goes on with the size it had", () => {
    const sizer = new ReadSizer();
    fill(sizer, 8);
    for (let i = 0; i < 50; i++) {
      assertEquals(sizer.space().buffer.byteLength, MAX_READ);
      sizer.take(MAX_READ / 2);
      assertEquals(sizer.space().buffer.byteLength, MIN_READ);
      fill(sizer, 1);
    }
  });

  it("shrinks while reads bring little", () => {
    const sizer = new ReadSizer();
    fill(sizer, 8);
    for (let i = 0; i < 20; i++) {
      sizer.space();
      sizer.take(100);
    }
    assertEquals(fill(sizer, 3).map((length) => length <= 2 * MIN_READ), [true, true, true]);
  });

  it("gives out no byte twice, whatever is read", () => {
    const random = seeded(7);
    const sizer = new ReadSizer();
    const taken: { bytes: Uint8Array; value: number }[] = [];
    for (let i = 0; i < 2000; i++) {
      const space = sizer.space();
      assert(space.length >= FIRST_READ / 4 && space.length <= MAX_READ);
      const length = random() < 0.5 ? space.length : 1 + Math.floor(random() * space.length);
      space.fill(i % 256, 0, length);
      taken.push({ bytes: sizer.take(length), value: i % 256 });
      if (taken.length > 50) taken.shift();
    }
    for (const { bytes, value } of taken) assert(bytes.every((byte) => byte === value));
  });
});
