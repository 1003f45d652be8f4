import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { Dither } from "../../../lib/flow/throttle/dither.ts";
import { seeded } from "../../random.ts";

const RATES = [0.99, 0.9, 0.5, 0.33, 0.1, 0.01];
const FRAMES = 10_000;

function share(dither: Dither, rate: number): number {
  let accepted = 0;
  for (let i = 0; i < FRAMES; i++) if (dither.next(rate)) accepted++;
  return accepted / FRAMES;
}

describe("Dither", () => {
  for (const rate of RATES) {
    it(`accepts ${rate} of the frames`, () => {
      const actual = share(new Dither("corrected"), Math.fround(rate));
      assert(Math.abs(actual - rate) <= 0.0002, `${actual}`);
    });

    it(`accepts ${rate}/(1+${rate}) of the frames as the Rerun server does`, () => {
      const actual = share(new Dither("rerun"), Math.fround(rate));
      assert(Math.abs(actual - rate / (1 + rate)) <= 0.002, `${actual}`);
    });
  }

  it("spreads them evenly", () => {
    const dither = new Dither("corrected");
    let last = 0;
    for (let i = 1; i <= FRAMES; i++) {
      if (!dither.next(Math.fround(0.1))) continue;
      assert(i - last <= 11, `${i - last} frames apart`);
      last = i;
    }
  });

  it("accepts its share of first frames where it begins by chance", () => {
    const random = seeded(3);
    let accepted = 0;
    for (let i = 0; i < FRAMES; i++) {
      if (new Dither("corrected", 0.5 - random()).next(Math.fround(0.1))) accepted++;
    }
    assert(Math.abs(accepted / FRAMES - 0.1) < 0.01, `${accepted}`);
    for (const begin of [-0.5 + 2 ** -24, 0, 0.5]) {
      assert(new Dither("corrected", begin).next(1), `all are accepted at 1, from ${begin} on`);
    }
  });

  it("accepts all at 1, right after others were dropped too", () => {
    const dither = new Dither("corrected");
    for (let i = 0; i < 77; i++) dither.next(Math.fround(0.01));
    assertEquals(share(dither, 1), 1);
  });
});
