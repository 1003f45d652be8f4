import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { inflateLz4 } from "../../../lib/encoding/lz4/lz4.ts";
import { Lz4Writer } from "../../../lib/encoding/lz4/lz4_writer.ts";
import { seeded } from "../../random.ts";

/** Deflates in pieces of any lengths. */
function deflated(bytes: Uint8Array, random: () => number): Uint8Array {
  const writer = new Lz4Writer();
  for (let at = 0; at < bytes.length;) {
    const length = Math.min(bytes.length - at, 1 + Math.floor(random() ** 4 * 400_000));
    writer.write(bytes.subarray(at, at + length));
    at += length;
  }
  assertEquals(writer.length, bytes.length);
  return writer.finish();
}

describe("Lz4Writer", () => {
  it("gives a block of all that came, however it came", () => {
    const random = seeded(5);
    for (const length of [0, 1, 4, 12, 13, 20, 70_000, 262_144, 1_000_000]) {
      for (const noise of [0, 0.02, 1]) {
        const bytes = new Uint8Array(length);
        for (let i = 0; i < length; i++) bytes[i] = random() < noise ? random() * 256 : i >> 9;
        assertEquals(inflateLz4(deflated(bytes, random), length), bytes, `${length} ${noise}`);
      }
    }
  });

  it("keeps no more of many zeros than of few", () => {
    const writer = new Lz4Writer();
    const zeros = new Uint8Array(1 << 20);
    for (let i = 0; i < 64; i++) writer.write(zeros);
    const block = writer.finish();
    assert(block.length < 64 * (1 << 20) / 250, `${block.length}`);
    assertEquals(inflateLz4(block, writer.length).every((byte) => byte === 0), true);
  });
});
