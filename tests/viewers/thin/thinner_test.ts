import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import type { Heavy } from "../../../lib/viewers/thin/arrivals.ts";
import { Thinner } from "../../../lib/viewers/thin/thinner.ts";

let seq = 10;

function heavy(frame: string, atMs: number, bytes = 50_000): Heavy {
  return { seq: ++seq, bytes, atMs, frame };
}

describe("a thinner", () => {
  it("keeps what is no older than the latency, and nothing that is", () => {
    const thinner = new Thinner(2, 5);
    assertEquals(thinner.keepsHeavy(heavy("a", 0), 2000), true);
    assertEquals(thinner.keepsHeavy(heavy("b", 0), 2001), false);
    assertEquals(thinner.counts, {
      shownFrames: 1,
      leftOutFrames: 1,
      heavy: { messages: 1, bytes: 50_000 },
      light: { messages: 0, bytes: 0 },
    });
  });

  it("aims below the latency while it thins, and for a second after", () => {
    const thinner = new Thinner(2, 5);
    assertEquals(thinner.keepsHeavy(heavy("a", 0), 2001), false);
    assertEquals(thinner.keepsHeavy(heavy("b", 900), 2001), false);
    assertEquals(thinner.keepsHeavy(heavy("c", 1100), 2001), true);
    assertEquals(thinner.keepsHeavy(heavy("d", 1500), 3100), true);
  });

  it("gives all of a frame or nothing of it", () => {
    const thinner = new Thinner(2, 5);
    assertEquals(thinner.keepsHeavy(heavy("a", 0), 1999), true);
    assertEquals(thinner.keepsHeavy(heavy("b", 0), 3000), false);
    // The rest comes late, or at once.
    assertEquals(thinner.keepsHeavy(heavy("a", 0), 9000), true);
    assertEquals(thinner.keepsHeavy(heavy("b", 3000), 3000), false);
    // Also where its beginning was given without a look.
    thinner.gave(heavy("c", 3000), 3001);
    assertEquals(thinner.wouldKeep(heavy("c", 3000), 20_000), true);
    assertEquals(thinner.keepsHeavy(heavy("c", 3000), 20_000), true);
    assertEquals([thinner.counts.shownFrames, thinner.counts.leftOutFrames], [2, 1]);
  });

  it("decides anew on a time that programs log under for ever", () => {
    const thinner = new Thinner(2, 5);
    assertEquals(thinner.keepsHeavy(heavy("a", 0), 3000), false);
    assertEquals(thinner.keepsHeavy(heavy("a", 32_000), 32_500), false);
    assertEquals(thinner.keepsHeavy(heavy("a", 33_500), 33_600), true);
  });

  it("leaves history alone", () => {
    const thinner = new Thinner(2, 1_000_000);
    assertEquals(thinner.keepsHeavy(heavy("a", 0), 100_000), true);
    assertEquals(thinner.counts.shownFrames, 0);
  });

  it("thins light messages only where these alone are late for long", () => {
    const thinner = new Thinner(2, 5);
    // A stall of eight seconds, after which they are there at once.
    thinner.begin(0, 8000);
    assertEquals(thinner.isLightTooMuch(8000), false);
    thinner.begin(7900, 8010);
    thinner.begin(undefined, 9000);
    thinner.begin(0, 14_000);
    assertEquals(thinner.isLightTooMuch(14_000), false);
    for (let ms = 15_000; ms <= 20_000; ms += 100) thinner.begin(ms - 5000, ms);
    assert(thinner.isLightTooMuch(20_000));
    assertEquals(thinner.keepsLight("a", 15_000, 100, 20_000), false);
    assertEquals(thinner.keepsLight("b", 19_900, 100, 20_000), true);
    assertEquals(thinner.keepsLight("b", 19_900, 100, 28_000), true);
    assertEquals(thinner.counts.light, { messages: 1, bytes: 100 });
    thinner.begin(undefined, 31_000);
    assertEquals(thinner.isLightTooMuch(31_000), false);
  });

  it("gives all of a frame or nothing of it, however many light messages are thinned between", () => {
    const thinner = new Thinner(2, 5);
    assertEquals(thinner.keepsHeavy(heavy("a", 0), 1900), true);
    assertEquals(thinner.keepsHeavy(heavy("b", 0), 3000), false);
    for (let i = 0; i < 5000; i++) thinner.keepsLight(`alone ${i}`, 0, 100, 3000);
    assertEquals(thinner.keepsHeavy(heavy("a", 0), 4000), true);
    assertEquals(thinner.keepsHeavy(heavy("b", 3000), 3100), false);
  });

  it("remembers no more frames than the last", () => {
    const thinner = new Thinner(2, 5);
    for (let i = 0; i < 5000; i++) thinner.keepsHeavy(heavy(`${i}`, 0), 1);
    assertEquals(thinner.wouldKeep(heavy("4999", 0), 20_000), true);
    assertEquals(thinner.wouldKeep(heavy("0", 0), 20_000), false);
  });
});
