import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { AwakeClock } from "../../lib/base/awake_clock.ts";

function clock() {
  let time = 5000;
  const awake = new AwakeClock(() => time);
  const begun = awake.now();
  return {
    pass: (ms: number) => {
      time += ms;
      return awake.now() - begun;
    },
    rested: (ms: number) => {
      time += ms;
      return awake.isRested;
    },
  };
}

describe("AwakeClock", () => {
  it("runs as the clock does while it is looked at", () => {
    const { pass, rested } = clock();
    for (let i = 1; i <= 100; i++) assertEquals(pass(999), i * 999);
    assertEquals(rested(50), true);
  });

  it("stands still where nobody looked, as often as that is", () => {
    const { pass } = clock();
    assertEquals([pass(100), pass(3_600_000), pass(50), pass(1000), pass(7)], [
      100,
      100,
      150,
      150,
      157,
    ]);
  });

  it("is not rested before half a second has passed after it", () => {
    const { pass, rested } = clock();
    pass(60_000);
    assertEquals([rested(0), rested(499), rested(1), rested(9999), rested(250)], [
      false,
      false,
      true,
      false,
      false,
    ]);
  });
});
