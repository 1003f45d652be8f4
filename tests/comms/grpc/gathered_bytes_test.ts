import { assertEquals, assertLess } from "@std/assert";
import { describe, it } from "node:test";
import { GatheredBytes } from "../../../lib/comms/grpc/gathered_bytes.ts";
import { startChild } from "../../contract/child.ts";

const MiB = 2 ** 20;

describe("gathered bytes", () => {
  for (
    const [what, sizes] of [
      ["nothing", []],
      ["a few pieces", [3, 0, 5]],
      ["more than are kept as they came", [30 * MiB, 2 * MiB, 1, 2 * MiB, 7]],
      ["one large piece", [33 * MiB]],
      ["more than a segment", [32 * MiB, 40 * MiB, 30 * MiB, 3]],
    ] as const
  ) {
    it(`are ${what}, in order, behind their headroom`, async () => {
      const gathered = new GatheredBytes();
      for (const [i, size] of sizes.entries()) gathered.add(new Uint8Array(size).fill(i + 1));
      const total = sizes.reduce((sum: number, size) => sum + size, 0);
      assertEquals(gathered.length, total);
      const whole = await gathered.join(4);
      assertEquals(whole.length, 4 + total);
      assertEquals(whole.subarray(0, 4), new Uint8Array(4));
      let at = 4;
      for (const [i, size] of sizes.entries()) {
        if (size > 0) assertEquals([whole[at], whole[at + size - 1]], [i + 1, i + 1], `piece ${i}`);
        at += size;
      }
      assertEquals(gathered.length, 0);
    });
  }

  it("begin anew once they were dropped", async () => {
    const gathered = new GatheredBytes();
    gathered.add(new Uint8Array(33 * MiB));
    gathered.drop();
    gathered.add(Uint8Array.of(9));
    assertEquals(await gathered.join(0), Uint8Array.of(9));
  });

  it("wait behind each segment that was freed, and end there where that is not to go on", async () => {
    const gathered = new GatheredBytes();
    for (let i = 0; i < 7; i++) gathered.add(new Uint8Array(32 * MiB));
    let pauses = 0;
    const over = new Error("the call is over");
    const pause = () => ++pauses < 2 ? Promise.resolve() : Promise.reject(over);
    assertEquals(await gathered.join(0, pause).catch((error) => error), over);
    assertEquals([pauses, gathered.length], [2, 224 * MiB]);
    gathered.drop();
    assertEquals(gathered.length, 0);
  });

  it("take hardly more than what is counted for a message that is inflated", async () => {
    const child = startChild(new URL("inflate_child.ts", import.meta.url), ["300"]);
    try {
      const outcome = await child.next<{ bytes: number; last: number; grownKiB: number }>();
      assertEquals([outcome.bytes, outcome.last], [300 * MiB, 7]);
      // It took twice its size while it was joined; the rest is the last segment, and garbage.
      assertLess(outcome.grownKiB / 1024, 480);
    } finally {
      await child.stop();
    }
  });
});
