import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { Gathering } from "../../../../lib/sinks/file/writer/gathering.ts";
import { WHOLE_BYTES, WriteBudget } from "../../../../lib/sinks/file/writer/write_budget.ts";

/** Files in memory, of which the test counts the writes, and a clock that it moves. */
function gathered(open: number) {
  let nowMs = 0;
  let waits: { readonly at: number; readonly go: () => void }[] = [];
  const waiting = new Map<number, number>();
  let writes = 0;
  const budget = new WriteBudget(() => nowMs);
  const timer = (ms: number, go: () => void) => {
    const wait = { at: nowMs + ms, go };
    waits.push(wait);
    return () => void (waits = waits.filter((other) => other !== wait));
  };
  const gathering = new Gathering({ now: () => nowMs, timer }, budget, {
    open,
    flush(minBytes = 1) {
      let count = 0;
      for (const [file, bytes] of waiting) {
        if (bytes < minBytes) continue;
        waiting.delete(file);
        count++;
      }
      writes += count;
      return count;
    },
  });
  return {
    gathering,
    budget,
    waiting,
    /** Gives one file something. */
    give(file: number, bytes = 100) {
      waiting.set(file, (waiting.get(file) ?? 0) + bytes);
      gathering.watch();
    },
    /** Lets time pass, and what is due in it happen. */
    pass(ms: number) {
      nowMs += ms;
      for (const wait of waits.filter(({ at }) => at <= nowMs)) {
        waits = waits.filter((other) => other !== wait);
        wait.go();
      }
    },
    timers: () => waits.length,
    /** How many writes there were since the last time. */
    writes() {
      const count = writes;
      writes = 0;
      return count;
    },
  };
}

describe("Gathering", () => {
  it("writes to few files at once, however often", () => {
    const { give, writes, timers, budget } = gathered(16);
    for (let i = 0; i < 1000; i++) give(i % 16);
    assertEquals([writes(), timers(), budget.gatherMs], [1000, 0, 0]);
  });

  it("writes to many at once that seldom get something", () => {
    const { give, pass, writes, timers } = gathered(250);
    for (let i = 0; i < 500; i++) {
      give(i % 250);
      pass(2);
    }
    assertEquals([writes(), timers()], [500, 0]);
  });

  for (const [perMs, open, gatherMs] of [[5, 120, 120], [5, 250, 300], [20, 250, 300]] as const) {
    it(`writes to each of ${open} files each ${gatherMs} ms, of ${perMs} messages a millisecond`, () => {
      const { give, pass, writes, waiting, budget } = gathered(open);
      let file = 0;
      const run = (ms: number) => {
        for (let at = 0; at < ms; at++) {
          for (let i = 0; i < perMs; i++) give(file++ % open);
          pass(1);
        }
      };
      run(1000);
      writes();
      run(3000);
      assert(
        budget.gatherMs > gatherMs - 10 && budget.gatherMs <= gatherMs,
        `${budget.gatherMs} ms`,
      );
      const perSec = writes() / 3;
      const most = 1000 * open / gatherMs;
      assert(perSec > 0.9 * most && perSec <= 1.1 * most, `${perSec} writes a second`);
      pass(gatherMs);
      assertEquals(waiting.size, 0);
      // When nobody has said anything for a while, the next message waits for nothing.
      pass(300);
      writes();
      give(1);
      assertEquals([writes(), budget.gatherMs], [1, 0]);
    });
  }

  it("does not have much of one file wait for little of others", () => {
    const { give, pass, writes, waiting, budget } = gathered(250);
    for (let i = 0; i < 250; i++) give(i);
    pass(300);
    for (let i = 0; i < 250; i++) give(i);
    writes();
    budget.hasWhole = true;
    give(7, WHOLE_BYTES);
    assertEquals([writes(), waiting.has(7), waiting.has(8)], [1, false, true]);
  });

  it("writes all with a sync, and is not woken for it again", async () => {
    const { gathering, give, waiting, writes, timers } = gathered(250);
    for (let i = 0; i < 250; i++) give(i);
    assert(waiting.size > 200);
    assertEquals(timers(), 1);
    const synced: number[] = [];
    const files = gathering.synced({
      isSynced: false,
      sync: () => Promise.resolve(void synced.push(waiting.size)),
    });
    writes();
    await files.sync();
    assertEquals([synced, timers(), files.isSynced], [[0], 0, false]);
    assert(writes() > 200);
  });

  it("has nothing wait from its end on", () => {
    const { gathering, give, waiting, timers } = gathered(250);
    for (let i = 0; i < 250; i++) give(i);
    gathering.stop();
    assertEquals([waiting.size, timers()], [0, 0]);
    give(1);
    assertEquals([waiting.size, timers()], [0, 0]);
  });
});
