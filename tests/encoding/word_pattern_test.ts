import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { WordPattern } from "../../lib/encoding/word_pattern.ts";
import { seeded } from "../random.ts";

/** Compares byte by byte. */
function same(bytes: Uint8Array, masks: Uint8Array, others: Uint8Array): boolean {
  return bytes.every((byte, i) => ((byte ^ others[i]!) & masks[i]!) === 0);
}

/** Whether the pattern of these bytes matches others, before and behind which stands something else. */
function matches(bytes: Uint8Array, masks: Uint8Array, others: Uint8Array): boolean {
  const before = others.length % 3;
  const room = new Uint8Array(4 * before + others.length + 8).fill(0xa5);
  room.set(others, 4 * before);
  return new WordPattern(bytes, masks).matches(new Int32Array(room.buffer), before);
}

describe("WordPattern", () => {
  it("finds each bit that differs, and no open one", () => {
    const random = seeded(1);
    const byte = () => Math.floor(random() * 256);
    const found = { true: 0, false: 0 };
    for (let round = 0; round < 3000; round++) {
      const length = 4 * (1 + Math.floor(random() * 20));
      const closed = round % 2 === 0 ? 0.7 : 0.98;
      const bytes = Uint8Array.from({ length }, byte);
      const masks = Uint8Array.from({ length }, () => random() < closed ? 0xff : byte());
      if (round % 3 === 0) masks.fill(0, 4, 8);
      const others = bytes.slice();
      for (let flips = Math.floor(random() * 3); flips > 0; flips--) {
        others[Math.floor(random() * length)]! ^= 1 << Math.floor(random() * 8);
      }
      const expected = same(bytes, masks, others);
      found[`${expected}`]++;
      assertEquals(matches(bytes, masks, others), expected);
    }
    assertEquals([found.true > 500, found.false > 500], [true, true]);
  });

  it("finds a bit in each word of a long part that is closed", () => {
    const bytes = Uint8Array.from({ length: 92 }, (_, i) => i * 7);
    const masks = new Uint8Array(92).fill(0xff);
    assertEquals(matches(bytes, masks, bytes), true);
    for (let at = 0; at < 92; at++) {
      const others = bytes.slice();
      others[at]! ^= 0x80;
      assertEquals(matches(bytes, masks, others), false);
    }
  });
});
