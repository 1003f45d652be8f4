import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { RrdDecoder } from "../../../lib/encoding/rrd/rrd_decoder.ts";
import {
  CongestionManager,
  type ThrottleRules,
} from "../../../lib/flow/throttle/congestion_manager.ts";
import type { LogMsg } from "../../../lib/encoding/log_msg.ts";
import type { TimelineTime } from "../../../lib/encoding/message_parts.ts";
import { fixture } from "../../fixtures.ts";
import { grpcMessages } from "../../grpc_frames.ts";
import { seeded } from "../../random.ts";
import { chunk, frameChunk, keptLog, recording, sequence } from "../throttled_messages.ts";
import { undroppable, virtualClock } from "../throttled_messages.ts";

function start(maxLatencySec = 0.2, rules: ThrottleRules = "corrected") {
  const clock = virtualClock();
  const log = keptLog();
  const random = seeded(7);
  const manager = new CongestionManager({ maxLatencySec, rules, now: clock.now, random, log });
  const register = (latencySec: number, afterSec: number, filled?: number) => {
    clock.ms += afterSec * 1000;
    manager.registerLatency(latencySec, filled);
  };
  /** Brings the accept rate from 1 down to about this. */
  const throttle = (rate: number) => {
    // Half as much again as the maximum lowers the rate by a tenth each second.
    for (let left = 1 - rate; left > 1e-6; left -= 0.1) register(0.3, Math.min(1, left * 10));
    assert(Math.abs(manager.acceptRate - rate) < 1e-4, String(manager.acceptRate));
  };
  const recover = () => {
    for (let i = 0; i < 26; i++) register(0, 1);
    assertEquals(manager.acceptRate, 1);
  };
  return { clock, log, manager, register, throttle, recover };
}

/** How many of the messages pass. */
function passing(manager: CongestionManager, msgs: Iterable<LogMsg>): number {
  let count = 0;
  for (const msg of msgs) if (manager.shouldSend(msg)) count++;
  return count;
}

function* frames(from: number, to: number): Generator<LogMsg> {
  for (let frame = from; frame < to; frame++) yield frameChunk(frame);
}

describe("CongestionManager", () => {
  it("passes everything while the latency is good", () => {
    const { manager, register } = start();
    for (let i = 0; i < 100; i++) {
      register(0.19, 0.1);
      assertEquals(passing(manager, frames(i * 100, i * 100 + 100)), 100);
    }
    assertEquals(manager.acceptRate, 1);
  });

  it("drops nothing with an infinite maximum, were the share full", () => {
    const { manager, register } = start(Infinity);
    for (let i = 0; i < 100; i++) {
      register(1000, 1, 1);
      assertEquals(manager.judge(frameChunk(i), true), "send");
      assertEquals(manager.judge(chunk(undefined), true), "send");
    }
    assertEquals(manager.acceptRate, 1);
    assertEquals(manager.unreadable, 0);
  });

  for (const rate of [0.99, 0.9, 0.5, 0.33, 0.1, 0.01]) {
    it(`accepts ${rate} of 10,000 frames, within 1 percentage point`, () => {
      const { manager, throttle } = start();
      throttle(rate);
      const share = passing(manager, frames(0, 10_000)) / 10_000;
      assert(Math.abs(share - rate) <= 0.01, `${share}`);
      const { throttled, overflow } = manager.dropped;
      assertEquals(throttled.messages, Math.round((1 - share) * 10_000));
      assertEquals(throttled.bytes, throttled.messages * 1000);
      assertEquals(overflow, { messages: 0, bytes: 0 });
    });
  }

  it("lets no frame be torn while the rate falls from 1 and comes back to it", () => {
    const { manager, register } = start();
    const passed = new Map<number, number>();
    let tick = 0;
    // Each frame has five messages, and they mix with those of the frame before.
    const next = (frame: number) => {
      const sent = manager.shouldSend(frameChunk(frame, tick++)) ? 1 : 0;
      passed.set(frame, (passed.get(frame) ?? 0) + sent);
    };
    for (let frame = 0; frame < 40_000; frame++) {
      const latency = frame < 2000 || frame > 8000 ? 0 : 0.5;
      for (let i = 0; i < 5; i++) {
        register(latency, 0.0004);
        next(i < 3 ? frame : Math.max(0, frame - 1));
      }
    }
    const counts = new Map<number, number>();
    for (const n of [...passed.values()].slice(1, -1)) counts.set(n, (counts.get(n) ?? 0) + 1);
    assertEquals([...counts.keys()].sort(), [0, 5]);
    assert(counts.get(0)! > 1000);
    assertEquals(manager.acceptRate, 1);
  });

  for (const [what, msg] of Object.entries(undroppable())) {
    it(`never drops ${what}, throttled or full`, () => {
      const { manager, throttle } = start();
      throttle(0.01);
      for (let i = 0; i < 500; i++) {
        assertEquals(manager.judge(msg), "send");
        assertEquals(manager.judge(msg, true), "send");
      }
    });
  }

  it("decides by chance where there is no sequence timeline", () => {
    const { manager, throttle } = start();
    throttle(0.3);
    const time: TimelineTime = { name: "sim", type: "time", time: 5n };
    const share = passing(manager, Array.from({ length: 10_000 }, () => chunk([time]))) / 10_000;
    assert(Math.abs(share - 0.3) < 0.02, `${share}`);
    assertEquals(manager.judge(chunk([time]), true), "overflow");
  });

  it("keeps frames whole whose timeline is named after log_tick; the Rerun server tears them", () => {
    const tornFrames = (rules: ThrottleRules) => {
      const { manager, throttle } = start(0.2, rules);
      throttle(0.5);
      let torn = 0;
      for (let step = 0; step < 300; step++) {
        const at = (i: number) => chunk([sequence("log_tick", 4 * step + i), sequence("z", step)]);
        const sent = passing(manager, [at(0), at(1), at(2), at(3)]);
        if (sent !== 0 && sent !== 4) torn++;
      }
      return torn;
    };
    assertEquals(tornFrames("corrected"), 0);
    assert(tornFrames("rerun") > 100);
  });

  it("falls back to log_tick, and ignores timelines on which the data is static", () => {
    const { manager, throttle, log } = start();
    throttle(0.5);
    log.lines.length = 0;
    const sent = manager.shouldSend(chunk([sequence("a", -(2n ** 63n)), sequence("log_tick", 7)]));
    assertEquals(log.lines[0], `trace: Send log_tick 7: ${sent}`);
  });

  it("decides by the first of several sequence timelines, apart for each recording", () => {
    const { manager, throttle, log } = start();
    throttle(0.5);
    log.lines.length = 0;
    const sent = ["a", "b", "a", "b"].map((id) => {
      const times = [sequence("frame", 1), sequence("other", 2)];
      return manager.shouldSend(chunk(times, { storeId: recording(id) }));
    });
    const traces = log.lines.filter((line) => line.startsWith("trace"));
    assertEquals(traces, [`trace: Send frame 1: ${sent[0]}`, `trace: Send frame 1: ${sent[1]}`]);
    assertEquals(sent.slice(2), sent.slice(0, 2));
  });

  it("writes decisions as the Rerun server does, only under a throttle", () => {
    const { manager, throttle, log } = start();
    passing(manager, frames(0, 10));
    assertEquals(log.lines, []);
    throttle(0.5);
    log.lines.length = 0;
    const sent = [...frames(10, 14)].map((msg) => manager.shouldSend(msg));
    const traces = log.lines.filter((line) => line.startsWith("trace"));
    assertEquals(traces, sent.map((sent, i) => `trace: Send frame ${10 + i}: ${sent}`));
    assertEquals(sent.filter((sent) => sent).length, 2);
  });

  it("refuses whole frames when the share is full, lets begun ones end, and counts apart", () => {
    const { manager, register } = start();
    register(0, 0.01);
    assertEquals(manager.judge(frameChunk(1, 1)), "send");
    assertEquals(manager.judge(frameChunk(1, 2), true), "send");
    assertEquals(manager.judge(frameChunk(2, 3, { bytes: 700 }), true), "overflow");
    assertEquals(manager.judge(frameChunk(2, 4, { bytes: 300 })), "overflow");
    assertEquals(manager.judge(frameChunk(3, 5)), "send");
    assertEquals(manager.dropped, {
      throttled: { messages: 0, bytes: 0 },
      overflow: { messages: 2, bytes: 1000 },
    });
  });

  it("warns when dropping begins, and says how much it was when it ends", () => {
    const { manager, register, throttle, recover, log } = start();
    const lines = () => log.lines.filter((line) => /^(warn|info)/.test(line));
    throttle(0.5);
    const dropped = 1000 - passing(manager, frames(0, 1000));
    assertEquals(lines(), [dropping]);
    recover();
    const ended =
      `info: No longer dropping packets: dropped ${dropped} messages (${dropped}000 bytes) ` +
      "to keep input latency under the max (0.2 s).";
    assertEquals(lines(), [dropping, ended]);
    assertEquals(passing(manager, frames(0, 1000)), 1000);
    assertEquals(manager.judge(frameChunk(5000), true), "overflow");
    register(0, 4);
    assertEquals(manager.judge(frameChunk(5001), true), "overflow");
    register(0, 4);
    assertEquals(lines(), [dropping, ended, dropping]);
    manager.finish();
    manager.finish();
    assertEquals(lines().slice(3), [ended.replaceAll(String(dropped), "2")]);
  });

  it("gives the Rerun server's rules on demand: static and blueprint data dropped too", () => {
    const { manager, throttle } = start(0.2, "rerun");
    throttle(0.1);
    const repeat = (msg: LogMsg) => Array.from({ length: 2000 }, () => msg);
    const never = undroppable();
    const share = passing(manager, repeat(never["static data"]!)) / 2000;
    assert(Math.abs(share - 0.1) < 0.03, `${share}`);
    assertEquals(passing(manager, repeat(never["blueprint data"]!)), 0);
    assertEquals(passing(manager, repeat(never["store info"]!)), 2000);
    const frameShare = passing(manager, frames(0, 10_000)) / 10_000;
    assert(Math.abs(frameShare - 0.1 / 1.1) < 0.01, `${frameShare}`);
  });

  it("keeps a frame refused for want of room refused under the Rerun server's rules", () => {
    const { manager, register, clock } = start(0.2, "rerun");
    register(0, 0.01);
    assertEquals(manager.judge(frameChunk(2), true), "overflow");
    assertEquals(manager.judge(frameChunk(2)), "overflow");
    assertEquals(manager.judge(frameChunk(3)), "send");
    assertEquals(manager.judge(undroppable()["static data"]!, true), "send");
    clock.ms += 1001;
    register(0, 0.01);
    assertEquals(manager.judge(frameChunk(2)), "send");
  });

  it("reads Arrow data only once a throttle is near", () => {
    const { manager, register } = start();
    const unreadable = chunk(undefined);
    register(0.04, 0.1);
    for (let i = 0; i < 5; i++) assertEquals(manager.judge(unreadable), "send");
    assertEquals(manager.unreadable, 0);
    register(0.06, 0.1);
    assertEquals(manager.judge(unreadable), "send");
    assertEquals(manager.unreadable, 1);
    register(0, 0.1, 0.5);
    assertEquals(manager.judge(unreadable), "send");
    assertEquals(manager.unreadable, 2);
  });

  it("keeps frames of protobuf data whole, and their static data", () => {
    const decoder = new RrdDecoder();
    const { items } = decoder.push(fixture("encodings/0.22.1-mixed-protobuf-lz4.rrd"));
    const { manager, throttle, log } = start();
    throttle(0.5);
    const sent = items.filter((msg) => manager.shouldSend(msg)).length;
    const traced = log.lines.filter((line) => line.startsWith("trace: Send frame"));
    assert(traced.length > 3, `${traced}`);
    assertEquals(manager.unreadable, 0);
    assertEquals(sent + manager.dropped.throttled.messages, items.length);
    assert(sent > 0 && sent < items.length);
    for (const name of ["0.23.4-mixed", "0.36.2-mixed", "0.41.0-mixed"]) {
      for (const msg of grpcMessages(name)) manager.shouldSend(msg);
    }
    assertEquals(manager.unreadable, 0);
  });

  it("keeps its share and its decisions under 100,000 recordings of one frame each", () => {
    const { manager, throttle } = start();
    throttle(0.3);
    const msg = (id: string) => chunk([sequence("frame", 1)], { storeId: recording(id) });
    const kept = manager.shouldSend(msg("kept"));
    let sent = 0;
    for (let i = 0; i < 100_000; i++) {
      if (manager.shouldSend(msg(`rec-${i}`))) sent++;
      if (i % 60 === 0) assertEquals(manager.shouldSend(msg("kept")), kept);
    }
    assert(Math.abs(sent / 100_000 - 0.3) < 0.01, `${sent}`);
  });

  for (const bad of [0, -1, NaN, -Infinity, 1e-60]) {
    it(`refuses a maximum of ${bad}`, () => {
      assertThrows(() => start(bad), RangeError, "maxLatencySec must be above 0");
    });
  }

  for (const bad of [-1e-9, NaN]) {
    it(`refuses a latency of ${bad}`, () => {
      assertThrows(() => start().manager.registerLatency(bad), RangeError, "latency");
    });
  }
});

const dropping = "warn: Input latency is over the max (0.2 s) - dropping packets.";
