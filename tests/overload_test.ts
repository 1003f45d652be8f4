import { assert, assertEquals } from "@std/assert";
import process from "node:process";
import { describe, it } from "node:test";
import { detectRuntime } from "../lib/adapters/runtime.ts";
import { drip, faults, flood, quiet, runOverload, type Runtime } from "./bench/overload_runs.ts";

const LIMIT_MIB = 32;
/** A busy machine seldom holds up a message for a whole second; where it does, it may be dropped. */
const MAX_LATENCY_SEC = 1;
const TRIES = 3;

const options = {
  timeout: 120_000,
  skip: process.platform !== "linux" && "resident memory is read from /proc",
};

// The bench overload.ts measures the same for longer, and latency too.
describe("an overloaded server", options, () => {
  const runtime = detectRuntime() as Runtime;

  it("drops whole frames of the client that floods, and nothing of a quiet one", async () => {
    const receiving = {
      limitMiB: LIMIT_MIB,
      maxLatencySec: MAX_LATENCY_SEC,
      phases: [{ untilSec: 3.5, takes: 5e6 }],
    };
    const clients = [flood(3.5), quiet(3.5)];
    let isHeldUp = true;
    for (let left = TRIES; isHeldUp && left > 0; left--) {
      const result = await runOverload({ receiving, clients }, runtime);
      assertEquals(faults(result, LIMIT_MIB), []);
      const { seen, logged, dropped } = result;
      assert(dropped.overflow > 0, "nothing was refused for want of room");
      assert(logged[0]!.staticData > 0 && logged[1]!.messages > 0);
      isHeldUp = seen[1]!.messages < logged[1]!.messages;
    }
    assert(!isHeldUp, "messages of the quiet client were dropped each time");
  });

  it("keeps its memory where each read is a small message and nothing is received", async () => {
    const receiving = {
      limitMiB: LIMIT_MIB,
      maxLatencySec: null,
      phases: [{ untilSec: 2, takes: 0 }],
    };
    const result = await runOverload({ receiving, clients: [drip(2)] }, runtime);
    assertEquals(faults(result, LIMIT_MIB), []);
    assertEquals(result.seen[0]!.messages, result.logged[0]!.messages);
  });
});
