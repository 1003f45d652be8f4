import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { FlushPace } from "../../../lib/sinks/file/_flush_pace.ts";

/** A clock turned by hand, and a pace of files, each of which has something at any time. */
function paced(files: number) {
  const state = { nowMs: 0, files, waitingBytes: 0 };
  let timer: { readonly at: number; readonly task: () => void } | undefined;
  const flushes: number[] = [];
  const pace = new FlushPace({
    now: () => state.nowMs,
    timer: (ms, task) => {
      timer = { at: state.nowMs + ms, task };
      return () => timer = undefined;
    },
    waitingBytes: () => state.waitingBytes,
    flush: () => {
      flushes.push(state.nowMs);
      return state.files;
    },
  });
  /** Something comes every 10 ms. */
  const run = (untilMs: number) => {
    for (; state.nowMs < untilMs; state.nowMs += 10) {
      if (timer !== undefined && timer.at <= state.nowMs) {
        const { task } = timer;
        timer = undefined;
        task();
      }
      pace.ask();
    }
  };
  return { state, pace, flushes, run, hasTimer: () => timer !== undefined };
}

describe("FlushPace", () => {
  it("writes at once where few files take messages", () => {
    const { flushes, run, hasTimer } = paced(16);
    run(50);
    assertEquals(flushes, [0, 10, 20, 30, 40]);
    assertEquals(hasTimer(), false);
  });

  it("gathers the longer, the more files there are, and 150 ms at most", () => {
    for (const [files, pauseMs] of [[50, 50], [120, 120], [10_000, 150]] as const) {
      const { flushes, run } = paced(files);
      run(600);
      assertEquals(flushes, Array.from({ length: 600 / pauseMs }, (_, i) => i * pauseMs));
    }
  });

  it("writes at once all the same where much waits", () => {
    const { state, flushes, run } = paced(200);
    state.waitingBytes = 2 ** 20;
    run(30);
    assertEquals(flushes, [0, 10, 20]);
  });

  it("writes at once again when it has gone quiet", () => {
    const { state, pace, flushes, run } = paced(200);
    run(160);
    assertEquals(flushes, [0, 150]);
    state.files = 1;
    run(310);
    // When the pause was over, and at once from then on.
    assertEquals(flushes, [0, 150, 300, 300]);
    assertEquals(pace.pauseMs, 0);
  });

  it("is ended by a flush, or by nothing", () => {
    const { pace, run, hasTimer, flushes } = paced(200);
    run(20);
    assertEquals(hasTimer(), true);
    pace.flush();
    assertEquals([hasTimer(), flushes.length], [false, 2]);
  });
});
