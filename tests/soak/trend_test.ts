import { describe, it } from "node:test";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { seeded } from "../random.ts";
import { lows, trend } from "./trend.ts";

function noisy(count: number, slope: number): number[] {
  const random = seeded(5);
  return Array.from({ length: count }, (_, i) => slope * i + 20 * random());
}

describe("trend", () => {
  it("is the slope, with or without noise", () => {
    assertEquals(trend([1, 3, 5, 7], 2).slope, 1);
    const { slope, low, high } = trend(noisy(200, 0.5), 1);
    assertAlmostEquals(slope, 0.5, 0.05);
    assert(low > 0.4 && high < 0.6, `${low} to ${high}`);
  });

  it("holds 0 where there is only noise", () => {
    const { low, high } = trend(noisy(60, 0), 1);
    assert(low < 0 && high > 0, `${low} to ${high}`);
  });
});

describe("lows", () => {
  it("are those of whole windows", () => assertEquals(lows([3, 1, 2, 9, 8, 7, 0], 3), [1, 7]));
});
