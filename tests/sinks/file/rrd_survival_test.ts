import { describe, it } from "node:test";
import { setImmediate } from "node:timers";
import { assert, assertEquals } from "@std/assert";
import {
  type FileHook,
  type MemoryFiles,
  memoryFiles,
} from "../../../lib/adapters/files/memory_files.ts";
import { fanOut } from "../../../lib/sinks/fan_out.ts";
import { rrdFileSink, type RrdFileSinkOptions } from "../../../lib/sinks/file/rrd_file.ts";
import { besidesIndex, bytesOf, concat, header, keptLog, msgpackMessage } from "../messages.ts";

const HEADER = header([0, 22, 1]).bytes;
const MARKER = new Uint8Array(8);

/** A clock and timers that move only when the test says so. */
function virtualTime() {
  const timers = new Set<{ at: number; callback: () => void }>();
  const time = {
    ms: 0,
    now: () => time.ms,
    timer(ms: number, callback: () => void) {
      const timer = { at: time.ms + ms, callback };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    pass(ms: number) {
      time.ms += ms;
      for (const timer of timers) {
        if (timer.at > time.ms) continue;
        timers.delete(timer);
        timer.callback();
      }
    },
    timers,
  };
  return time;
}

/** Lets everything that can happen without outside help happen. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

async function start(files: MemoryFiles, over: Partial<RrdFileSinkOptions> = {}) {
  const time = virtualTime();
  const log = keptLog();
  const { now, timer } = time;
  const sink = await rrdFileSink({ path: "a.rrd", files, log, now, timer, ...over });
  return { sink, log, time };
}

const isPart = (path: string) => path.endsWith(".part");

describe("rrdFileSink until it is closed", () => {
  it("writes under another name", async () => {
    const files = memoryFiles();
    const { sink } = await start(files);
    await sink.write([msgpackMessage(1)]);
    assertEquals(besidesIndex(files), ["a.rrd.part"]);
    await sink.close();
    assertEquals(besidesIndex(files), ["a.rrd"]);
  });

  it("leaves alone what got its name meanwhile, and says so", async () => {
    const files = memoryFiles();
    const { sink } = await start(files);
    await sink.write([msgpackMessage(1)]);
    await (await files.create("a.rrd", "new")).write(Uint8Array.of(7));
    const error = await sink.close().then(() => undefined, (error: Error) => error);
    assert(error?.message.startsWith("a.rrd exists already"));
    assertEquals(files.read("a.rrd"), Uint8Array.of(7));
    assertEquals(files.read("a.rrd.part"), concat(HEADER, bytesOf(msgpackMessage(1)), MARKER));
    assertEquals(sink.failed, true);
  });
});

describe("rrdFileSink and what is on the disk", () => {
  it("has there what was written 500 ms ago", async () => {
    const files = memoryFiles();
    const { sink, time } = await start(files);
    for (let i = 0; i < 20; i++) {
      await sink.write([msgpackMessage(10, i)]);
      await settle();
      const before = files.read("a.rrd.part")!.length;
      time.pass(100);
      await settle();
      time.pass(400);
      await settle();
      assert(files.readSynced("a.rrd.part")!.length >= before);
    }
    await sink.close();
    assertEquals(time.timers.size, 0);
    assertEquals(files.readSynced("a.rrd"), files.read("a.rrd"));
  });

  it("syncs nothing while nothing is new", async () => {
    let syncs = 0;
    const files = memoryFiles(({ kind, path }) =>
      void (kind === "sync" && isPart(path) && syncs++)
    );
    const { sink, time } = await start(files);
    await sink.write([msgpackMessage(1)]);
    await settle();
    for (let i = 0; i < 10; i++) {
      time.pass(1000);
      await settle();
    }
    assertEquals([syncs, time.timers.size], [1, 0]);
    await sink.close();
  });

  it("goes on taking messages during a slow sync, and syncs those after it", async () => {
    let letGo = () => {};
    let syncs = 0;
    const stuck = new Promise<void>((done) => letGo = done);
    const files = memoryFiles(async ({ kind, path }) => {
      if (kind === "sync" && isPart(path) && ++syncs === 1) await stuck;
    });
    const { sink, time } = await start(files);
    await sink.write([msgpackMessage(1)]);
    await settle();
    time.pass(200);
    for (let i = 0; i < 5; i++) await sink.write([msgpackMessage(2)]);
    await settle();
    time.pass(1000);
    letGo();
    await settle();
    time.pass(200);
    await settle();
    assertEquals(syncs, 2);
    assertEquals(files.readSynced("a.rrd.part"), files.read("a.rrd.part"));
    await sink.close();
  });

  it("has each batch there at once, or leaves it to the system, if told to", async () => {
    for (const sync of ["always", "never"] as const) {
      let syncs = 0;
      const files = memoryFiles(({ kind, path }) =>
        void (kind === "sync" && isPart(path) && syncs++)
      );
      const { sink, time } = await start(files, { sync });
      for (let i = 1; i <= 3; i++) {
        await sink.write([msgpackMessage(1)]);
        await settle();
        assertEquals(syncs, sync === "always" ? i : 0);
      }
      assertEquals(time.timers.size, 0);
      await sink.close();
      assertEquals(syncs, sync === "always" ? 4 : 0);
    }
  });

  it("takes a sync that fails for a disk that fails, without further messages too", async () => {
    let fails = true;
    const files = memoryFiles(({ kind }) => {
      if (kind === "sync" && fails) throw new Error("EIO");
    });
    const { sink, time, log } = await start(files);
    await sink.write([msgpackMessage(1)]);
    await settle();
    time.pass(200);
    await settle();
    // What a failed sync was to put on the disk may be gone: it is cut off, and counts as lost.
    assertEquals(besidesIndex(files), []);
    assertEquals([sink.failed, sink.kept.messages, sink.lost.messages], [true, 0, 1]);
    assert(log.of("error")[0]!.includes("EIO"));
    fails = false;
    time.pass(1000);
    await sink.write([msgpackMessage(2)]);
    await settle();
    time.pass(200);
    await settle();
    fails = true;
    await sink.write([msgpackMessage(3)]);
    await sink.close().catch(() => {});
    assertEquals(besidesIndex(files), ["a.2.rrd"]);
    assertEquals(files.read("a.2.rrd"), concat(HEADER, bytesOf(msgpackMessage(2)), MARKER));
    assertEquals([sink.kept.messages, sink.lost.messages], [1, 2]);
  });
});

describe("rrdFileSink after a failure", () => {
  it("tries again with back-off, into another file, and counts what was lost", async () => {
    let full = false;
    let tries = 0;
    const files = memoryFiles(({ kind, bytes }) => {
      if (kind === "create" && full) tries++;
      if (kind === "write" && full && bytes!.length > 8) throw new Error("ENOSPC");
    });
    const errors: unknown[] = [];
    const { sink, time, log } = await start(files, { onError: (error) => errors.push(error) });
    await sink.write([msgpackMessage(1)]);
    await settle();
    full = true;
    for (let second = 0; second < 120; second++) {
      await sink.write([msgpackMessage(1)]);
      await settle();
      time.pass(1000);
    }
    assertEquals(tries, 8); // after 1, 2, 4, 8, 16, 30, 30 … seconds
    assertEquals(log.of("error").length, 1);
    assertEquals(besidesIndex(files), ["a.rrd"]);
    full = false;
    time.pass(30_000);
    await sink.write([msgpackMessage(1)]);
    await sink.close();
    assertEquals(besidesIndex(files)[0], "a.rrd");
    assertEquals(besidesIndex(files).length, 2);
    assertEquals([sink.kept.messages, sink.lost.messages], [2, 120]);
    assertEquals(errors.length, 9);
  });

  /** Saves 12 messages in parts of three while the hook may make operations fail. */
  async function saveWith(hook: FileHook) {
    const files = memoryFiles(hook);
    const over = { path: "{part}.rrd", rotation: { maxBytes: 130 } };
    const started = await start(files, over).catch(() => undefined);
    // A folder that can't be read is refused at the start.
    if (started === undefined) return undefined;
    const { sink, time } = started;
    let others = 0;
    const other = { name: "other", write: () => void others++, close: () => Promise.resolve() };
    const receiver = fanOut([sink, other]);
    await receiver.receive((async function* () {
      for (let i = 0; i < 12; i++) {
        yield [msgpackMessage(30, i)];
        await settle();
        time.pass(300);
        await settle();
      }
    })());
    await receiver.close();
    let found = 0;
    for (const path of files.paths.filter((path) => /^\d+\.rrd(\.part)?$/.test(path))) {
      found += Math.floor((files.read(path)!.length - 12) / 38);
    }
    return { sink, found, others };
  }

  it("counts right whichever operation fails, once or for good, and costs no other sink", async () => {
    const kinds: string[] = [];
    const whole = await saveWith(({ kind }) => void kinds.push(kind));
    assertEquals([whole!.sink.kept.messages, whole!.found], [12, 12]);
    let refused = 0;
    const seen = new Set<string>();
    for (const [k, kind] of kinds.entries()) {
      for (const forGood of [false, true]) {
        let count = -1;
        let more = false;
        const saving = saveWith((op) => {
          count++;
          if (count !== k && !(forGood && count > k && op.kind === kind)) return;
          seen.add(op.kind);
          more ||= op.kind === "truncate" || op.kind === "remove";
          throw new Error("EIO");
        });
        const saved = await saving;
        if (saved === undefined) {
          refused++;
          continue;
        }
        const { sink, found, others } = saved;
        const what = `operation ${k}, ${kind}, ${forGood ? "for good" : "once"}`;
        assertEquals(others, 12, what);
        assertEquals(sink.kept.messages + sink.lost.messages, 12, what);
        // Only where a file can't be cut, more is in it than is promised.
        if (more) assert(found >= sink.kept.messages, what);
        else assertEquals(found, sink.kept.messages, what);
      }
    }
    assertEquals([...seen].sort(), [...new Set(kinds)].sort());
    assertEquals(refused, 2); // the folder's list, once and for good
  });

  it("cuts and closes as well as it can where that fails, too", async () => {
    for (const failing of ["truncate", "remove", "close", "rename", "sync"] as const) {
      let writes = 0;
      const saved = await saveWith(({ kind }) => {
        if (kind === "write" && ++writes % 5 === 0 || kind === failing) throw new Error("EIO");
      });
      const { sink, others } = saved!;
      assertEquals([others, sink.kept.messages + sink.lost.messages], [12, 12], failing);
    }
  });
});

describe("rrdFileSink on a small file system", () => {
  const SIZE = 8 * 2 ** 20;

  /** Takes so many bytes over all files, a part of a write too, and no more until some are removed. */
  function small() {
    let limit = SIZE;
    const files: MemoryFiles = memoryFiles(({ kind, bytes }) => {
      if (kind !== "write") return;
      const used = files.paths.reduce((sum, path) => sum + files.read(path)!.length, 0);
      if (used >= limit) throw new Error("No space left on device");
      return Math.min(bytes!.length, limit - used);
    });
    return { files, grow: () => limit *= 2 };
  }

  it("fills it with whole messages, counts the rest, and goes on once there is room", async () => {
    const { files, grow } = small();
    const { sink, time, log } = await start(files, { path: "{part}.rrd" });
    const others: number[] = [];
    const receiver = fanOut([sink, {
      name: "other",
      write: (batch) => void others.push(batch.length),
      close: () => Promise.resolve(),
    }]);
    let sent = 0;
    await receiver.receive((async function* () {
      for (let i = 0; i < 300; i++) {
        if (i === 200) grow();
        const size = i % 10 === 0 ? 100_000 : 40_000;
        yield [msgpackMessage(size), msgpackMessage(1000)];
        sent += 2;
        await settle();
        time.pass(1000);
      }
    })());
    await receiver.close();
    assertEquals(others.length, 300);
    assertEquals(sink.kept.messages + sink.lost.messages, sent);
    assert(sink.lost.messages > 20 && sink.kept.bytes > SIZE * 1.2);
    assertEquals([sink.failed, receiver.stats[0]!.failed], [true, true]);
    assert(log.of("error")[0]!.includes("No space left on device"));
    let found = 0;
    for (const path of files.paths.filter((path) => path.endsWith(".rrd"))) {
      const bytes = files.read(path)!;
      const view = new DataView(bytes.buffer);
      let at = 12;
      for (
        ;
        at < bytes.length && view.getUint32(at, true) > 0;
        at += 8 + view.getUint32(at, true)
      ) {
        found++;
      }
      assert(at === bytes.length || at === bytes.length - 8, `${path} ends inside a message`);
    }
    assertEquals(found, sink.kept.messages);
    assertEquals(files.paths.filter((path) => path.endsWith(".part")), []);
  });
});

describe("rrdFileSink with a greatest age", () => {
  it("closes a file in time, though nothing more comes", async () => {
    const files = memoryFiles();
    const { sink, time } = await start(files, {
      path: "{part}.rrd",
      rotation: { maxAgeSec: 10 },
    });
    await sink.write([msgpackMessage(1)]);
    for (let second = 0; second < 9; second++) {
      await settle();
      time.pass(1000);
    }
    await settle();
    assertEquals(files.paths.filter((path) => path.startsWith("0")), ["0001.rrd.part"]);
    time.pass(1000);
    await settle();
    time.pass(1000);
    await settle();
    assertEquals(files.paths.filter((path) => path.startsWith("0")), ["0001.rrd"]);
    await sink.write([msgpackMessage(2)]);
    await sink.close();
    assertEquals(files.paths.filter((path) => path.startsWith("0")), ["0001.rrd", "0002.rrd"]);
    assertEquals(time.timers.size, 0);
  });
});
