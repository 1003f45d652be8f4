import { assertEquals, assertLess } from "@std/assert";
import { describe, it } from "node:test";
import { GatheredBytes } from "../../../lib/comms/grpc/gathered_bytes.ts";
import { startChild } from "../../contract/child.ts";

const MiB = 2 ** 20;
/** A message of 300 MiB took 612 MiB where nothing was freed while it was joined. */
const MAX_GROWN_MIB = 540;
const TRIES = 6;

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
    it(`are ${what}, in order, behind their headroom`, () => {
      const gathered = new GatheredBytes();
      for (const [i, size] of sizes.entries()) gathered.add(new Uint8Array(size).fill(i + 1));
      const total = sizes.reduce((sum: number, size) => sum + size, 0);
      assertEquals(gathered.length, total);
      const whole = gathered.join(4);
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

  it("begin anew once they were dropped", () => {
    const gathered = new GatheredBytes();
    gathered.add(new Uint8Array(33 * MiB));
    gathered.drop();
    gathered.add(Uint8Array.of(9));
    assertEquals(gathered.join(0), Uint8Array.of(9));
  });

  it("take hardly more than what is counted for a message that is inflated", async () => {
    const grownMiB: number[] = [];
    // What was freed goes back to the system late where other programs have the processor.
    while (grownMiB.length < TRIES && Math.min(...grownMiB) >= MAX_GROWN_MIB) {
      const child = startChild(new URL("inflate_child.ts", import.meta.url), ["300"]);
      try {
        const outcome = await child.next<{ bytes: number; last: number; grownKiB: number }>();
        assertEquals([outcome.bytes, outcome.last], [300 * MiB, 7]);
        grownMiB.push(outcome.grownKiB / 1024);
      } finally {
        await child.stop();
      }
    }
    assertLess(Math.min(...grownMiB), MAX_GROWN_MIB, `${grownMiB}`);
  });
});
