import { describe, it } from "node:test";
import { setImmediate } from "node:timers";
import { assert, assertEquals } from "@std/assert";
import { memoryFiles } from "../../../lib/adapters/files/memory_files.ts";
import { rrdFileSink } from "../../../lib/sinks/file/rrd_file.ts";
import { announcement, chunk, received } from "../../forward/chunks.ts";

/** Lets everything that can happen without outside help happen. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe("rrdFileSink with many recordings", () => {
  it("writes to each a few times a second, and has all on the disk within 500 ms", async () => {
    let nowMs = 0;
    let timers: { readonly at: number; readonly go: () => void }[] = [];
    let writes = 0;
    const files = memoryFiles(({ kind, path }) => {
      if (kind === "write" && path.endsWith(".part")) writes++;
      return undefined;
    });
    const sink = await rrdFileSink({
      path: "{recording_id}-{part}.rrd",
      files,
      now: () => nowMs,
      timer: (ms, go) => {
        const timer = { at: nowMs + ms, go };
        timers.push(timer);
        return () => void (timers = timers.filter((other) => other !== timer));
      },
    });
    const names = Array.from({ length: 200 }, (_, i) => `r${i}`);
    for (const name of names) await sink.write([received(announcement(name))]);
    /** Lets time pass, and what is due in it happen. */
    async function pass(ms: number) {
      nowMs += ms;
      const due = timers.filter(({ at }) => at <= nowMs);
      timers = timers.filter(({ at }) => at > nowMs);
      for (const { go } of due) go();
      for (let i = 0; i < 3; i++) await settle();
    }
    for (let i = 0; i < 10; i++) await pass(100);
    const synced = (name: string) => files.readSynced(`${name}-0001.rrd.part`)!.length;
    /** Up to where each file goes, and of each message when it came and where it ends. */
    const ends = new Map(names.map((name) => [name, synced(name)]));
    let came: { readonly name: string; readonly end: number; readonly at: number }[] = [];
    let oldestMs = 0;
    writes = 0;
    // Twenty messages a second of each, for a second.
    for (let round = 0; round < 20; round++) {
      for (let step = 0; step < 10; step++) {
        const batch = names.slice(step * 20, (step + 1) * 20)
          .map((name) => ({ name, message: received(chunk(name, round)) }));
        await sink.write(batch.map(({ message }) => message));
        for (const { name, message: { payload } } of batch) {
          assert(payload.type === "msg");
          const end = ends.get(name)! + payload.msg.encoded.bytes.length;
          ends.set(name, end);
          came.push({ name, end, at: nowMs });
        }
        await pass(5);
      }
      const there = new Map(names.map((name) => [name, synced(name)]));
      came = came.filter(({ name, end }) => there.get(name)! < end);
      for (const { at } of came) oldestMs = Math.max(oldestMs, nowMs - at);
    }
    assert(oldestMs > 0 && oldestMs <= 350, `${oldestMs} ms`);
    assert(writes < 200 * 9, `${writes} writes of 4,000 messages`);
    await sink.close();
    assertEquals([sink.kept.messages, sink.lost.messages], [4200, 0]);
  });
});
