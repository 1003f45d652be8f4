import { describe, it } from "node:test";
import { setImmediate } from "node:timers";
import { assertEquals } from "@std/assert";
import { memoryFiles } from "../../../lib/adapters/files/memory_files.ts";
import { Ages } from "../../../lib/sinks/file/writer/_ages.ts";
import { rrdFileSink, type RrdFileSinkOptions } from "../../../lib/sinks/file/rrd_file.ts";
import { msgpackMessage } from "../messages.ts";

/** Lets everything that can happen without outside help happen. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe("Ages", () => {
  it("tells how long the oldest that is left has waited", () => {
    let ms = 0;
    const ages = new Ages(() => ms);
    assertEquals(ages.oldestMs, 0);
    for (const [time, bytes] of [[0, 10], [2, 10], [50, 10], [60, 10]] as const) {
      ms = time;
      ages.tick();
      ages.add(bytes);
    }
    ms = 100;
    const left = [0, 5, 20, 10].map((bytes) => (ages.remove(bytes), ages.oldestMs));
    assertEquals(left, [100, 100, 50, 40]);
    ages.remove(5);
    assertEquals(ages.oldestMs, 0);
    ages.tick();
    ages.add(1);
    ms = 107;
    assertEquals(ages.oldestMs, 7);
  });
});

describe("rrdFileSink on a disk that pauses", () => {
  /** Whether a batch has to wait when the disk took nothing for so long. */
  async function waits(afterMs: number, over: Partial<RrdFileSinkOptions> = {}) {
    let ms = 0;
    const disk = Promise.withResolvers<void>();
    const files = memoryFiles(({ kind, path }) => {
      return kind === "write" && path === "a.rrd.part" ? disk.promise : undefined;
    });
    const timer = () => () => {};
    const sink = await rrdFileSink({ path: "a.rrd", files, now: () => ms, timer, ...over });
    await sink.write([msgpackMessage(10)]);
    await settle();
    ms = afterMs;
    let isTaken = false;
    const taken = Promise.resolve(sink.write([msgpackMessage(10)])).then(() => isTaken = true);
    await settle();
    const before = isTaken;
    disk.resolve();
    await taken;
    await sink.close();
    assertEquals([sink.kept.messages, sink.lost.messages], [2, 0]);
    return !before;
  }

  it("has whoever writes wait before what waits gets old, though it is little", async () => {
    assertEquals(await waits(100), false);
    assertEquals(await waits(101), true);
  });

  it("lets it get old if nobody promised anything", async () => {
    assertEquals(await waits(10_000, { sync: "never" }), false);
  });
});
