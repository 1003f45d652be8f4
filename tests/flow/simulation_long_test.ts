import { after, describe, it } from "node:test";
import { assert, assertEquals, assertLess } from "@std/assert";
import { LIMIT_BYTES, type Outcome, type Scenario, simulate } from "./simulation.ts";

const MB = 1000;
const MAX_LATENCY_SEC = 0.2;

/** A client logs 50 MB/s in frames of five messages, and static data now and then. */
const SCENARIOS: Record<string, Scenario & { readonly receiver: string }> = {
  fine: {
    receiver: "takes 60 MB/s",
    seconds: 20,
    maxLatencySec: MAX_LATENCY_SEC,
    takes: () => 60 * MB,
  },
  slow: {
    receiver: "takes 5 MB/s",
    seconds: 90,
    maxLatencySec: MAX_LATENCY_SEC,
    takes: () => 5 * MB,
  },
  stalled: {
    receiver: "takes nothing",
    seconds: 60,
    maxLatencySec: MAX_LATENCY_SEC,
    takes: () => 0,
  },
  recovering: {
    receiver: "takes nothing for 10 s, then all",
    seconds: 60,
    maxLatencySec: MAX_LATENCY_SEC,
    takes: (ms) => ms < 10_000 ? 0 : Infinity,
  },
  unbounded: {
    receiver: "takes 5 MB/s, no maximum latency",
    seconds: 20,
    maxLatencySec: Infinity,
    takes: () => 5 * MB,
  },
};

const outcomes = new Map<string, Promise<Outcome>>();

function outcomeOf(name: string): Promise<Outcome> {
  const outcome = outcomes.get(name) ?? simulate(SCENARIOS[name]!);
  outcomes.set(name, outcome);
  return outcome;
}

/** The worst latency over the last seconds. */
function latencyAtEnd({ latencySec }: Outcome, seconds: number): number {
  return Math.max(...latencySec.slice(-seconds));
}

async function row(name: string): Promise<string> {
  const { receiver, seconds } = SCENARIOS[name]!;
  const outcome = await outcomeOf(name);
  const { sent, throttled, overflow, acceptRate, peakBytes, pausedMs } = outcome;
  const percent = (part: number) => `${(100 * part / sent).toFixed(1)} %`;
  return [
    name,
    receiver,
    `${seconds} s`,
    `${latencyAtEnd(outcome, 10).toFixed(2)} s`,
    acceptRate.at(-1)!.toFixed(3),
    percent(throttled),
    percent(overflow),
    `${(peakBytes / 2 ** 20).toFixed(1)} MiB`,
    `${(pausedMs / 1000).toFixed(1)} s`,
  ].join(" | ");
}

describe("simulated receivers", () => {
  it("fine: nothing is dropped and nothing waits", async () => {
    const outcome = await outcomeOf("fine");
    assertEquals([outcome.throttled, outcome.overflow, outcome.pausedMs], [0, 0, 0]);
    assertEquals(outcome.acceptRate.at(-1), 1);
    assertLess(latencyAtEnd(outcome, 20), 0.01);
  });

  it("slow: the latency comes under twice the maximum, and the receiver stays in use", async () => {
    const outcome = await outcomeOf("slow");
    assertLess(latencyAtEnd(outcome, 30), 2 * MAX_LATENCY_SEC);
    // Of 1000 frames a second a tenth can pass.
    const rates = outcome.acceptRate.slice(-30);
    const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
    assert(mean > 0.08 && mean < 0.12, `${mean}`);
    assert(outcome.overflow > 0, "the accept rate alone does not bound the queue");
  });

  it("stalled: memory stays within the share by dropping, and the client is not paused", async () => {
    const outcome = await outcomeOf("stalled");
    assertEquals(outcome.pausedMs, 0);
    assertEquals(outcome.received, 0);
    assert(outcome.overflow > 0);
  });

  it("recovering: no drops any more 40 s after the queue was empty", async () => {
    const { emptiedMs, dropped, acceptRate } = await outcomeOf("recovering");
    assert(emptiedMs !== undefined && emptiedMs < 11_000, `${emptiedMs}`);
    assert(dropped[9]! > 0);
    assertEquals(dropped.slice(Math.ceil(emptiedMs / 1000) + 40).filter((n) => n > 0), []);
    assertEquals(acceptRate.at(-1), 1);
  });

  it("unbounded: without a maximum the client is paused and nothing dropped", async () => {
    const { throttled, overflow, pausedMs, acceptRate } = await outcomeOf("unbounded");
    assertEquals([throttled, overflow, acceptRate.at(-1)], [0, 0, 1]);
    assert(pausedMs > 5000, `${pausedMs}`);
  });

  for (const name of Object.keys(SCENARIOS)) {
    it(`${name}: frames are whole, static data is all there, memory within the share`, async () => {
      const { tornFrames, lostStatic, peakBytes } = await outcomeOf(name);
      assertEquals([tornFrames, lostStatic], [0, 0]);
      assert(peakBytes <= LIMIT_BYTES, `${peakBytes}`);
    });
  }

  after(async () => {
    const head = "name | receiver | time | latency, last 10 s | accept rate | throttled | overflow";
    const rows = await Promise.all(Object.keys(SCENARIOS).map(row));
    console.log([`${head} | peak bytes | paused`, ...rows].join("\n"));
  });
});
