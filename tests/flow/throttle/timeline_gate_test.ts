import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import type { ThrottleRules } from "../../../lib/flow/throttle/accept_rate.ts";
import type { Verdict } from "../../../lib/flow/throttle/_decision_table.ts";
import { HOLD_MS, RENEW_MS, TimelineGate } from "../../../lib/flow/throttle/timeline_gate.ts";
import { MAX_TIMELINES, TimelineGates } from "../../../lib/flow/throttle/_timeline_gates.ts";
import { fixtureJson } from "../../fixtures.ts";
import { recording } from "../throttled_messages.ts";

/** Decisions [timeline, time, decision] at one accept rate. */
const { dither } = fixtureJson("oracle/congestion.json") as {
  dither: {
    accept_rate_bits: number;
    accept_rate: number;
    decisions: [number, number, number][];
  }[];
};

const HALF = { acceptRate: 0.5, full: false, nowMs: 0 };

function pass(gate: TimelineGate, time: number | bigint, circumstances = HALF): Verdict {
  return gate.recall(BigInt(time), circumstances) ?? gate.decide(BigInt(time), circumstances);
}

/** How many of the frames get two different decisions when their messages come `apart` frames apart. */
function torn(rules: ThrottleRules, frames: number[], apart: number): number {
  const gate = new TimelineGate(rules);
  const first = new Map<number, Verdict>();
  let count = 0;
  for (let i = 0; i < frames.length + apart; i++) {
    if (i < frames.length) first.set(frames[i]!, pass(gate, frames[i]!));
    if (i >= apart && pass(gate, frames[i - apart]!) !== first.get(frames[i - apart]!)) count++;
  }
  return count;
}

describe("TimelineGate", () => {
  for (const { accept_rate_bits, accept_rate, decisions } of dither) {
    it(`decides as the Rerun server does at ${accept_rate}`, () => {
      const acceptRate = new Float32Array(Uint32Array.of(accept_rate_bits).buffer)[0]!;
      const gates = new TimelineGates("rerun", () => 0.3);
      const circumstances = { acceptRate, full: false, nowMs: 0 };
      const actual = decisions.map(([timeline, time], i) => {
        // Timelines of all recordings are one to the Rerun server.
        const gate = gates.get(recording(`rec-${i % 3}`), `timeline-${timeline}`);
        return pass(gate, time, circumstances) === "send" ? 1 : 0;
      });
      assertEquals(actual, decisions.map((decision) => decision[2]));
    });
  }

  it("keeps frames whole up to 1024 times apart, when a timeline starts again at 0 too", () => {
    const times = Array.from({ length: 6000 }, (_, i) => i < 3000 ? i + 1_000_000 : i - 3000);
    assertEquals(torn("corrected", times, 1), 0);
    assertEquals(torn("corrected", times, 1023), 0);
    assert(torn("corrected", times, 1500) > 100, "1024 decisions are the limit");
    assert(torn("rerun", times, 2) > 100, "the Rerun server forgets the smallest times");
  });

  it("remembers 1024 decisions under both rules", () => {
    for (const rules of ["corrected", "rerun"] as const) {
      const gate = new TimelineGate(rules);
      for (let time = 0; time < 1024; time++) pass(gate, time);
      assert(gate.recall(0n, HALF) !== undefined);
      pass(gate, 1024);
      assertEquals(gate.recall(0n, HALF), undefined);
      assert(gate.recall(1n, HALF) !== undefined);
      assert(gate.recall(1024n, HALF) !== undefined);
    }
  });

  it("prunes the smallest time under the Rerun server's rules, were it the newest", () => {
    const gate = new TimelineGate("rerun");
    for (let time = 2000; time > 2000 - 1024; time--) pass(gate, time);
    pass(gate, 5);
    assertEquals(gate.recall(5n, HALF), undefined);
    pass(gate, 1500);
    assert(gate.recall(977n, HALF) !== undefined);
    pass(gate, 3000);
    assertEquals(gate.recall(977n, HALF), undefined);
    for (let time = 978; time <= 2000; time++) assert(gate.recall(BigInt(time), HALF), `${time}`);
  });

  it("tells times apart over all 64 bits", () => {
    const gate = new TimelineGate("corrected");
    const times = [0n, -1n, 2n ** 32n, -(2n ** 32n), 2n ** 63n - 1n, -(2n ** 63n) + 1n];
    for (const time of times) {
      assertEquals(gate.recall(time, HALF), undefined, String(time));
      pass(gate, time);
    }
    for (const time of times) assert(gate.recall(time, HALF) !== undefined, String(time));
  });

  it("refuses new frames while the share is full, and keeps to it", () => {
    const gate = new TimelineGate("corrected");
    const full = { ...HALF, acceptRate: 1, full: true };
    const open = { ...HALF, acceptRate: 1 };
    assertEquals(pass(gate, 1, open), "send");
    assertEquals(pass(gate, 2, full), "overflow");
    assertEquals(pass(gate, 1, full), "send");
    assertEquals(pass(gate, 2, open), "overflow");
    assertEquals(pass(gate, 3, open), "send");
  });

  it("holds a refusal for a second once all is accepted again, else for 30", () => {
    const gate = new TimelineGate("corrected");
    const frames = [pass(gate, 0, { ...HALF, acceptRate: 0.01 }), pass(gate, 1)];
    assertEquals(frames, ["throttled", "send"]);
    const after = (nowMs: number, acceptRate: number) => ({ acceptRate, full: false, nowMs });
    assertEquals(gate.recall(0n, after(HOLD_MS, 1)), "throttled");
    assertEquals(gate.recall(0n, after(RENEW_MS, 0.5)), "throttled");
    assertEquals(gate.recall(1n, after(RENEW_MS, 0.5)), "send");
    assertEquals(gate.recall(1n, after(RENEW_MS + 1, 0.5)), undefined);
    assertEquals(gate.recall(0n, after(HOLD_MS + 1, 1)), undefined);
    assertEquals(pass(gate, 0, after(HOLD_MS + 1, 1)), "send");
  });
});

describe("TimelineGates", () => {
  it("keeps recordings and timelines apart", () => {
    const gates = new TimelineGates("corrected", () => 0.5);
    const gate = gates.get(recording("a"), "b");
    assert(gate === gates.get(recording("a"), "b"));
    const others = [
      gates.get(recording("a"), "c"),
      gates.get(recording("b"), "b"),
      gates.get({ kind: "Blueprint", id: "a" }, "b"),
      gates.get({ kind: "Recording", id: "a", applicationId: "app" }, "b"),
      gates.get(recording(`a","b`), ""),
    ];
    assertEquals(new Set([gate, ...others]).size, 6);
    assertEquals(gates.size, 6);
  });

  it("forgets the least recently used of 100,000 recordings, not the one in use", () => {
    const gates = new TimelineGates("corrected", () => 0.5);
    const kept = gates.get(recording("kept"), "frame");
    for (let i = 0; i < 100_000; i++) {
      gates.get(recording(`recording-${i}`), "frame").decide(BigInt(i), HALF);
      if (i % 50 === 0) assert(gates.get(recording("kept"), "frame") === kept);
    }
    assertEquals(gates.size, MAX_TIMELINES);
  });

  it("bounds the length of the names it keeps", () => {
    const gates = new TimelineGates("corrected", () => 0.5);
    for (let i = 0; i < 40; i++) gates.get(recording(`${i}`), "x".repeat(10_000));
    assertEquals(gates.size, 6);
    const long = "y".repeat(1 << 20);
    const gate = gates.get(recording(long), "frame");
    assertEquals(gates.size, 1);
    assert(gates.get(recording(long), "frame") === gate);
  });
});
