import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { memoryFiles } from "../../lib/adapters/files/memory_files.ts";
import type { ProcessAdapter } from "../../lib/adapters/process/types.ts";
import { forwardTo } from "../../lib/forward/forward_to.ts";
import { rrdFileSink } from "../../lib/sinks/file/rrd_file.ts";
import { keptLog } from "../sinks/messages.ts";
import { announcement, chunk, received } from "./chunks.ts";
import { fakeTarget } from "./fake_target.ts";
import { until } from "./until.ts";

function setUp() {
  const files = memoryFiles();
  const log = keptLog();
  const running = new Set([7, 8]);
  const open = async (pid: number) => {
    const target = fakeTarget();
    const forwarder = forwardTo(target, { random: () => 0 });
    const processes: ProcessAdapter = {
      pid,
      identity: (pid) => Promise.resolve(running.has(pid) ? `${pid} 1` : undefined),
    };
    const sink = await rrdFileSink({
      ...{ path: "{recording_id}-{part}.rrd", files, processes, log, followers: [forwarder] },
      timer(ms, callback) {
        const timeout = setTimeout(callback, Math.min(ms, 20));
        return () => clearTimeout(timeout);
      },
    });
    const write = async (recording: string, from: number, to: number) => {
      if (from === 0) await sink.write([received(announcement(recording))]);
      for (let i = from; i < to; i++) await sink.write([received(chunk(recording, i))]);
    };
    return { sink, target, write };
  };
  return { open, log, end: (pid: number) => running.delete(pid) };
}

describe("forwarding over a hand-over", () => {
  it("is the next program's, which sends what the first one closes later, too", async () => {
    const { open, log, end } = setUp();
    const first = await open(7);
    await first.write("a", 0, 5);
    await until(() => first.target.taken.length === 5);
    assertEquals(await first.sink.handOver(), true);
    const second = await open(8);
    await first.write("a", 5, 10);
    await first.write("b", 0, 5);
    await second.write("c", 0, 5);
    await until(() => second.target.taken.length >= 5);
    assertEquals(first.target.taken.length, 5);
    await first.sink.close();
    end(7);
    await until(() => second.target.taken.length >= 15);
    await second.sink.close();
    const all = [...first.target.taken, ...second.target.taken];
    const told = (name: string) => all.filter((text) => text.startsWith(name));
    const numbers = (name: string, count: number) =>
      Array.from({ length: count }, (_, i) => `${name} ${i}`);
    assertEquals(told("a"), numbers("a", 10));
    assertEquals(told("b"), numbers("b", 5));
    assertEquals(told("c"), numbers("c", 5));
    assertEquals([...log.of("warn"), ...log.of("error")], []);
    // The cursor knows: nothing is sent again.
    const third = await open(8);
    await third.sink.close();
    assertEquals(third.target.taken, []);
  });
});
