import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { BytePattern } from "../../lib/encoding/byte_pattern.ts";
import { seeded } from "../random.ts";

/** Compares byte by byte. */
function same(bytes: Uint8Array, masks: Uint8Array, others: Uint8Array): boolean {
  return bytes.every((byte, i) => ((byte ^ others[i]!) & masks[i]!) === 0);
}

/** Whether the pattern of these bytes matches others, which begin where nothing is aligned. */
function matches(bytes: Uint8Array, masks: Uint8Array, others: Uint8Array): boolean {
  const pattern = new BytePattern(bytes, masks);
  const at = 3;
  const room = new Uint8Array(at + pattern.span).fill(0xa5);
  room.set(others, at);
  return pattern.matches(new DataView(room.buffer), at);
}

describe("BytePattern", () => {
  it("finds each bit that differs, and no open one", () => {
    const random = seeded(1);
    const byte = () => Math.floor(random() * 256);
    for (let round = 0; round < 3000; round++) {
      const length = 1 + Math.floor(random() * 60);
      const bytes = Uint8Array.from({ length }, byte);
      const masks = Uint8Array.from({ length }, () => random() < 0.7 ? 0xff : byte());
      const others = bytes.slice();
      for (let flips = Math.floor(random() * 3); flips > 0; flips--) {
        others[Math.floor(random() * length)]! ^= 1 << Math.floor(random() * 8);
      }
      assertEquals(matches(bytes, masks, others), same(bytes, masks, others));
    }
  });

  for (const [name, high] of Object.entries({ zero: 0, "negative zero": 0x80, NaN: 0x7f })) {
    it(`compares bits, not numbers, where they look like ${name}`, () => {
      const bytes = new Uint8Array(16);
      bytes[7] = high;
      if (high === 0x7f) bytes[6] = 0xf8;
      const masks = new Uint8Array(16).fill(0xff);
      assert(matches(bytes, masks, bytes));
      const others = bytes.slice();
      others[7]! ^= 0x80;
      assert(!matches(bytes, masks, others));
    });
  }
});
