import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { RecentBytes } from "../../../../lib/sinks/file/parts/recent_bytes.ts";

const bytes = (from: number, count: number) =>
  Uint8Array.from({ length: count }, (_, i) => (from + i) & 0xff);

/** A file that somebody reads from its beginning on. */
function followed(recent: RecentBytes, id: string): void {
  recent.begin(id);
  recent.reached(id, 0);
}

describe("RecentBytes", () => {
  it("gives what was written, as far as it stands together", () => {
    const recent = new RecentBytes();
    followed(recent, "a");
    const written = bytes(0, 10);
    recent.add("a", written);
    written.fill(0xee); // it is used again
    recent.add("a", bytes(10, 5));
    assertEquals(recent.read("a", 0, 100), bytes(0, 10));
    assertEquals(recent.read("a", 4, 3), bytes(4, 3));
    assertEquals(recent.read("a", 10, 100), bytes(10, 5));
    assertEquals(recent.read("a", 15, 100), undefined);
    assertEquals(recent.read("b", 0, 100), undefined);
  });

  it("keeps nothing of files that nobody reads", () => {
    const recent = new RecentBytes();
    recent.begin("a");
    recent.add("a", bytes(0, 10));
    recent.add("b", bytes(0, 10));
    assertEquals([recent.bytes, recent.read("a", 0, 100)], [0, undefined]);
  });

  it("holds no more than its limit over all files, and cuts what is long", () => {
    const recent = new RecentBytes(1024 * 1024);
    for (const id of ["a", "b"]) {
      followed(recent, id);
      recent.add(id, new Uint8Array(700 * 1024));
      recent.read(id, 0, Infinity);
      recent.read(id, 512 * 1024, Infinity);
    }
    assertEquals(recent.bytes, 888 * 1024);
    assertEquals(recent.read("a", 0, 100), undefined);
    assertEquals(recent.read("a", 512 * 1024, Infinity)?.length, 188 * 1024);
    assertEquals(recent.read("b", 0, Infinity)?.length, 512 * 1024);
  });

  it("keeps nothing for who falls behind, until that one has caught up", () => {
    const recent = new RecentBytes(100);
    followed(recent, "a");
    for (let at = 0; at < 150; at += 50) recent.add("a", bytes(at, 50));
    assertEquals([recent.bytes, recent.read("a", 0, 100)], [0, undefined]);
    recent.add("a", bytes(150, 50));
    assertEquals(recent.bytes, 0);
    recent.reached("a", 200);
    recent.add("a", bytes(200, 50));
    assertEquals(recent.read("a", 200, 100), bytes(200, 50));
    // From before, it has to be read from the disk.
    assertEquals(recent.read("a", 190, 100), undefined);
  });

  it("makes room for many writes at once", () => {
    const recent = new RecentBytes(1600);
    for (const id of ["a", "b"]) followed(recent, id);
    const write = () => {
      const before = recent.bytes;
      for (const id of ["a", "b"]) {
        recent.add(id, bytes(sizes[id]!, 10));
        assertEquals(recent.read(id, sizes[id]!, 100), bytes(sizes[id]!, 10));
        sizes[id]! += 10;
      }
      return recent.bytes - before;
    };
    const sizes: Record<string, number> = { a: 0, b: 0 };
    let shrunk = 0;
    for (let i = 0; i < 1000; i++) {
      if (write() < 0) shrunk++;
      assert(recent.bytes <= 1600, `${recent.bytes} bytes`);
      // All that is kept of a file stands together, and is what was written last.
      const kept = Math.floor(recent.bytes / 20) * 10;
      for (const id of ["a", "b"]) {
        const from = sizes[id]! - kept + 10;
        assertEquals(recent.read(id, from, 5), kept > 10 ? bytes(from, 5) : undefined);
      }
    }
    assert(shrunk > 0 && shrunk < 1000 / 4, `room was made ${shrunk} times`);
  });

  it("forgets files that are read to their end", () => {
    const recent = new RecentBytes();
    followed(recent, "a");
    recent.add("a", bytes(0, 10));
    recent.drop("a");
    assertEquals([recent.bytes, recent.read("a", 0, 100)], [0, undefined]);
  });
});
