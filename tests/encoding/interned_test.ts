import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { Interned, MAX_INTERNED_BYTES } from "../../lib/encoding/interned.ts";
import { seeded } from "../random.ts";

const utf8 = new TextEncoder();

describe("Interned.ascii", () => {
  it("gives the same text as decoding, whatever was kept before", () => {
    const texts = new Interned();
    for (let seed = 1; seed <= 50_000; seed++) {
      const random = seeded(seed);
      const length = Math.floor(random() * (MAX_INTERNED_BYTES + 1));
      // Few letters, so that texts meet in a slot and differ late.
      const bytes = new Uint8Array(length + 2).map(() => 97 + random() * (random() < 0.5 ? 2 : 20));
      const expected = new TextDecoder().decode(bytes.subarray(1, 1 + length));
      assertEquals(texts.ascii(bytes, 1, 1 + length), expected);
      assertEquals(texts.ascii(bytes, 1, 1 + length), expected);
    }
  });

  it("leaves what is not ASCII to others", () => {
    const texts = new Interned();
    for (const text of ["é", "abcé", "漢", "🤖"]) {
      const bytes = utf8.encode(text);
      assertEquals(texts.ascii(bytes, 0, bytes.length), undefined);
    }
    assertEquals(texts.ascii(utf8.encode("\0\x7f"), 0, 2), "\0\x7f");
    assertEquals(texts.ascii(new Uint8Array(0), 0, 0), "");
  });
});
