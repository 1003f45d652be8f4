import { describe, it } from "node:test";
import { setImmediate } from "node:timers";
import { assert, assertEquals } from "@std/assert";
import { memoryFiles } from "../../../lib/adapters/files/memory_files.ts";
import { rrdFileSink } from "../../../lib/sinks/file/rrd_file.ts";
import { MIN_CHUNK_BYTES } from "../../../lib/sinks/file/writer/write_budget.ts";
import { announcement, chunk, received } from "../../forward/chunks.ts";
import { fewFiles, unparked } from "../few_files.ts";

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

  it("loses nothing of what it gathered where it is closed while a write runs", async () => {
    const { promise: making, resolve: make } = Promise.withResolvers<void>();
    const files = memoryFiles(({ kind, path }) => {
      return kind === "create" && path.startsWith("last-") ? making : undefined;
    });
    // Time stands still, so that what is gathered waits.
    const sink = await rrdFileSink({
      path: "{recording_id}-{part}.rrd",
      files,
      now: () => 0,
      timer: () => () => {},
    });
    const names = Array.from({ length: 40 }, (_, i) => `r${i}`);
    for (const name of names) await sink.write([received(announcement(name))]);
    // Forty files were just written to, so that what comes next is gathered.
    for (let i = 0; i < 3; i++) await settle();
    await sink.write(names.map((name) => received(chunk(name, 0))));
    for (let i = 0; i < 3; i++) await settle();
    assert(sink.kept.messages < 80, "nothing waits to be gathered");
    const written = sink.write([received(announcement("last"))]);
    await settle();
    const closed = sink.close();
    await settle();
    make();
    await Promise.all([written, closed]);
    assertEquals([sink.kept.messages, sink.lost.messages], [81, 0]);
  });

  it("confirms what is in files that are being closed to make room, once it is on the disk", async () => {
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let isSlow = false;
    let slow = 0;
    const files = memoryFiles(({ kind, path }) => {
      if (!isSlow || kind !== "write" || path !== "r0-0001.rrd.part") return undefined;
      return gates[slow++]?.promise;
    });
    const sink = await rrdFileSink({
      path: "{recording_id}-{part}.rrd",
      ...{ processes: fewFiles(8), now: () => 0, timer: () => () => {} },
      files: unparked(files),
    });
    for (let i = 0; i < 8; i++) await sink.write([received(announcement(`r${i}`))]);
    for (let i = 0; i < 5; i++) await settle();
    isSlow = true;
    // Two pieces of the first file, and a ninth one, for which the first is closed.
    const size = chunk("r0", 0).encoded.bytes.length;
    const count = Math.ceil(1.5 * MIN_CHUNK_BYTES / size);
    const many = Array.from({ length: count }, (_, i) => received(chunk("r0", i)));
    const others = Array.from({ length: 7 }, (_, i) => received(chunk(`r${i + 1}`, 0)));
    await sink.write([...many, ...others, received(announcement("r8"))]);
    let isConfirmed = false;
    const confirmed = sink.confirm()().then(() => isConfirmed = true);
    for (let i = 0; i < 5; i++) await settle();
    gates[0]!.resolve();
    for (let i = 0; i < 5; i++) await settle();
    assertEquals([slow, isConfirmed], [2, false]);
    gates[1]!.resolve();
    await confirmed;
    const path = files.paths.find((path) => /^r0-0001\.rrd(\.part)?$/.test(path))!;
    assert(files.readSynced(path)!.length > count * size);
    await sink.close();
    assertEquals([sink.kept.messages, sink.lost.messages], [9 + count + 7, 0]);
  });
});
