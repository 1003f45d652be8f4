import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { ChunkIds } from "../../lib/bridge/chunk_ids.ts";
import { Tuid } from "../../lib/encoding/tuid.ts";

const HIGH = new Tuid(0xFEDCBA9876543210n, 0x89ABCDEF01234567n);

/** Reads the id in a text that begins at byte 3. */
function read(text: string, expected?: Tuid): Tuid | undefined {
  const bytes = new TextEncoder().encode(`---${text}---`);
  return new ChunkIds().read(bytes, 3, bytes.length - 3, expected);
}

describe("ids of chunks", () => {
  it("are read in either case, whatever is expected", () => {
    for (const text of [HIGH.toString(), HIGH.toString().toLowerCase()]) {
      assertEquals(read(text), HIGH);
      for (const [timeNs, inc] of [[1n, 2n], [HIGH.timeNs, 2n], [1n, HIGH.inc]] as const) {
        assertEquals(read(text, new Tuid(timeNs, inc)), HIGH);
      }
    }
    assertEquals(read("0".repeat(32)), new Tuid(0n, 0n));
    assertEquals(read("F".repeat(32)), new Tuid(2n ** 64n - 1n, 2n ** 64n - 1n));
  });

  it("are the expected one itself where they are equal", () => {
    const expected = new Tuid(HIGH.timeNs, HIGH.inc);
    assert(read(HIGH.toString(), expected) === expected);
  });

  it("are nothing but 32 hex digits", () => {
    for (const wrong of ["/", ":", "@", "G", "`", "g", " ", "-", "\0"]) {
      for (const at of [0, 7, 8, 15, 16, 23, 24, 31]) {
        const text = HIGH.toString();
        assertEquals(read(text.slice(0, at) + wrong + text.slice(at + 1)), undefined);
      }
    }
    for (const text of ["", "0".repeat(31), "0".repeat(33)]) assertEquals(read(text), undefined);
  });

  it("are not read past the end", () => {
    const bytes = new TextEncoder().encode("0".repeat(32));
    assertEquals(new ChunkIds().read(bytes, 8, 40, HIGH), undefined);
  });
});
