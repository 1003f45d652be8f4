import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { AcceptRate, MIN_ACCEPT_RATE } from "../../../lib/flow/throttle/accept_rate.ts";
import type { ThrottleRules } from "../../../lib/flow/throttle/accept_rate.ts";
import { fixtureJson } from "../../fixtures.ts";
import { keptLog, virtualClock } from "../throttled_messages.ts";

/** Steps of [nanoseconds since the last, latency in nanoseconds, accept rate bits, accept rate]. */
const { traces } = fixtureJson("oracle/congestion.json") as {
  traces: { max_latency_sec: number | null; steps: [number, number, number, number][] }[];
};

const RULES: ThrottleRules[] = ["corrected", "rerun"];

function bits(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0]!;
}

function start(maxLatencySec: number, rules: ThrottleRules) {
  const clock = virtualClock();
  const log = keptLog();
  const rate = new AcceptRate({ maxLatencySec, rules, now: clock.now, log });
  const update = (latencySec: number, afterSec: number) => {
    clock.ms += afterSec * 1000;
    rate.update(latencySec);
  };
  return { clock, log, rate, update };
}

describe("AcceptRate", () => {
  // No step of theirs is longer than a second, so the corrected rules must agree.
  for (const rules of RULES) {
    for (const { max_latency_sec, steps } of traces) {
      it(`equals the Rerun server bit for bit: ${max_latency_sec} s, ${rules}`, () => {
        const { clock, rate } = start(max_latency_sec ?? Infinity, rules);
        let nanos = 0;
        const actual = steps.map(([dt, latency]) => {
          nanos += dt;
          clock.ms = nanos / 1e6;
          rate.update(latency / 1e9);
          return bits(rate.value);
        });
        assertEquals(actual, steps.map((step) => step[2]));
        assert(steps.length >= 600);
      });
    }
  }

  it("takes latencies that are 32-bit floats already as they are", () => {
    const { steps } = traces.find(({ max_latency_sec }) => max_latency_sec === 2)!;
    const { clock, rate } = start(2, "rerun");
    let nanos = 0;
    for (const [dt, latency, expected] of steps) {
      nanos += dt;
      clock.ms = nanos / 1e6;
      rate.update(Math.fround(Math.fround(latency) / 1e9));
      assertEquals(bits(rate.value), expected);
    }
  });

  it("stays at 1 with an infinite maximum, whatever the latency", () => {
    const { rate, update } = start(Infinity, "corrected");
    for (const latency of [0, 1, 1e30, Infinity]) {
      update(latency, 0.1);
      assertEquals(rate.value, 1);
    }
  });

  it("stays between 0.01 and 1, at an infinite latency too", () => {
    const { rate, update } = start(0.2, "corrected");
    for (let i = 0; i < 20; i++) update(Infinity, 1);
    assertEquals(rate.value, MIN_ACCEPT_RATE);
    assertEquals(rate.value, Math.fround(0.01));
    for (let i = 0; i < 24; i++) update(0, 1);
    assert(rate.value > 0.95 && rate.value < 1, String(rate.value));
    for (let i = 0; i < 2; i++) update(0, 1);
    assertEquals(rate.value, 1);
  });

  it("counts a pause as one second at most; the Rerun server counts all of it", () => {
    const corrected = start(0.2, "corrected");
    corrected.update(10, 10);
    assertEquals(corrected.rate.value, Math.fround(0.6));
    const rerun = start(0.2, "rerun");
    rerun.update(10, 10);
    assertEquals(rerun.rate.value, MIN_ACCEPT_RATE);
  });

  it("takes a clock that goes back for one that stands still", () => {
    const { rate, update } = start(0.2, "corrected");
    update(10, 1);
    update(10, -5);
    assertEquals(rate.value, Math.fround(0.6));
  });

  it("says what it drops, at most once a second", () => {
    const { log, update } = start(0.2, "corrected");
    update(0.1, 5);
    assertEquals(log.lines, []);
    for (let i = 0; i < 35; i++) update(0.3, 0.1);
    assertEquals(log.lines, [
      "debug: Currently dropping 1.00% of messages to keep latency low",
      "debug: Currently dropping 12.00% of messages to keep latency low",
      "debug: Currently dropping 23.00% of messages to keep latency low",
      "debug: Currently dropping 34.00% of messages to keep latency low",
    ]);
  });
});
