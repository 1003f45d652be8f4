import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { xxh32 } from "../../../lib/encoding/rrd/xxh32.ts";

describe("xxh32", () => {
  // From the reference implementation's own sanity tests, and Rerun's of an empty footer.
  it("hashes as the reference does, at every length", () => {
    const text = (text: string) => new TextEncoder().encode(text);
    assertEquals(xxh32(text(""), 0), 0x02cc5d05);
    assertEquals(xxh32(text(""), 0x9e3779b1), 0x36b78ae7);
    assertEquals(xxh32(text("a"), 0), 0x550d7456);
    assertEquals(xxh32(text("abc"), 0), 0x32d153ff);
    assertEquals(xxh32(text("Nobody inspects the spammish repetition"), 0), 0xe2293b2f);
    assertEquals(xxh32(text(""), 7_850_921), 0x2a973671);
  });
});
