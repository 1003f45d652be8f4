/** When files are given to be read: at the latest as long after their first message as a batch may wait. */
import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { FileQueue, fullBytes, limitedBatches } from "../../lib/forward/_file_queue.ts";
import { BEGINNING } from "../../lib/forward/cursor.ts";
import type { PartReader } from "../../lib/forward/part_reader.ts";
import type { JournaledFile } from "../../lib/sinks/file/parts/part_journal.ts";

const LIMITS = { maxBytes: 1000, maxWaitMs: 200, maxUnderWay: 8 };

/** A queue whose time is set by hand, and what it gave at which time. */
function queueAt() {
  let now = 0;
  let timers: { readonly at: number; readonly call: () => void }[] = [];
  const taken: [at: number, id: string][] = [];
  const queue = new FileQueue(LIMITS, {
    now: () => now,
    timer(ms, call) {
      const timer = { at: now + ms, call };
      timers.push(timer);
      return () => timers = timers.filter((other) => other !== timer);
    },
    onReady() {
      for (let next = queue.take(); next !== undefined; next = queue.take()) {
        taken.push([now, next.file.id]);
      }
    },
  });
  const until = (at: number) => {
    for (;;) {
      const due = timers.filter((timer) => timer.at <= at).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      timers = timers.filter((timer) => timer !== due);
      now = due.at;
      due.call();
    }
    now = at;
  };
  const add = (id: string, size: number, gatheredMs = 0) => {
    const line = { group: id };
    const file = { id, size, gatheredMs, state: "writing", line } as unknown as JournaledFile;
    const reader = { hasMore: true, isAtEnd: false } as unknown as PartReader;
    queue.add(file, BEGINNING, reader);
  };
  return { queue, until, add, taken };
}

describe("FileQueue", () => {
  it("gives files that are due at about one time together, and none too late", () => {
    const { until, add, taken } = queueAt();
    for (const [at, id] of [[0, "a"], [30, "b"], [49, "c"], [120, "d"]] as const) {
      until(at);
      add(id, 10);
    }
    until(199);
    assertEquals(taken, []);
    until(1000);
    assertEquals(taken, [[200, "a"], [200, "b"], [200, "c"], [320, "d"]]);
  });

  it("has messages wait as much less as they waited to be written, and goes on giving files together", () => {
    const { until, add, taken } = queueAt();
    for (const [at, id, gatheredMs] of [[0, "a", 120], [2, "b", 300], [9, "c", 300]] as const) {
      until(at);
      add(id, 10, gatheredMs);
    }
    until(1000);
    assertEquals(taken, [[80, "a"], [80, "b"], [80, "c"]]);
  });

  it("gives a file of several recordings at once when there is enough for each of them", () => {
    const limits = { maxBytes: 1000, maxRecordingBytes: 100, maxWaitMs: 200, maxUnderWay: 8 };
    const full = [1, 3, 10, 500].map((recordings) => fullBytes(limits, recordings));
    assertEquals(full, [100, 300, 1000, 1000]);
    assertEquals([fullBytes(LIMITS), fullBytes(LIMITS, 500)], [1000, 1000]);
  });

  it("gathers of several recordings no more than memory or the rate allow, and of one what is set", () => {
    const limits = { maxBytes: 1000, maxRecordingBytes: 100, maxWaitMs: 200, maxUnderWay: 8 };
    const most = [[Infinity, Infinity], [5000, 300], [300, 5000], [20, 10]].map((bytes) =>
      fullBytes(limitedBatches(limits, ...bytes), 500)
    );
    assertEquals(most, [1000, 300, 300, 100]);
    assertEquals(limitedBatches(LIMITS, 10), { ...LIMITS, maxBytes: 1000 });
  });

  it("looks at few of the files that wait behind others of their recording", () => {
    const taken: string[] = [];
    let looked = 0;
    const queue = new FileQueue(LIMITS, {
      ...{ now: () => 0, timer: () => () => {}, onReady: () => {} },
    });
    const reader = {
      isAtEnd: false,
      get hasMore() {
        looked++;
        return true;
      },
    } as unknown as PartReader;
    const files = 1000;
    for (let i = 0; i < files; i++) {
      const file = { id: `f${i}`, line: { group: "a" }, state: "closed", size: Infinity };
      queue.add(file as unknown as JournaledFile, BEGINNING, reader);
    }
    for (let next = queue.take(); next !== undefined; next = queue.take()) {
      taken.push(next.file.id);
      queue.remove(next.file.id);
    }
    assertEquals(taken, Array.from({ length: files }, (_, i) => `f${i}`));
    assert(looked <= 3 * files, `${looked} looks`);
  });

  it("gives what is enough for a batch at once", () => {
    const { until, add, taken } = queueAt();
    until(5);
    add("a", 1000);
    assertEquals(taken, [[5, "a"]]);
  });
});
