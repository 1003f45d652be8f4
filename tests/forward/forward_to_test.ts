import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { ForwarderOptions } from "../../lib/forward/delivery.ts";
import { cursorStatus } from "../../lib/forward/cursor_files.ts";
import { cursorPath, forwardTo } from "../../lib/forward/forward_to.ts";
import { s3Target } from "../../lib/forward/s3_target.ts";
import { TargetRefused } from "../../lib/forward/target.ts";
import { memoryFiles } from "../../lib/adapters/files/memory_files.ts";
import { rrdFileSink } from "../../lib/sinks/file/rrd_file.ts";
import type { RrdFileSinkOptions } from "../../lib/sinks/file/sink_options.ts";
import { announcement, chunk, received } from "./chunks.ts";
import { FakeS3 } from "./fake_s3.ts";
import { type FakeTarget, fakeTarget } from "./fake_target.ts";
import { cases } from "../counts.ts";
import { keptLog } from "../sinks/messages.ts";
import { soon, until } from "./until.ts";

const PATTERN = "{recording_id}-{part}.rrd";
const CURSOR = `${PATTERN}.forward-fake-target-`;

function numbered(recording: string, from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => `${recording} ${from + i}`);
}

function batch(recording: string, from: number, to: number) {
  return Array.from({ length: to - from }, (_, i) => received(chunk(recording, from + i)));
}

/** Runs a sink with a target, and gives it messages. */
async function run(
  target: FakeTarget,
  options: Partial<RrdFileSinkOptions>,
  messages: readonly ReturnType<typeof received>[],
  isOver: () => boolean = () => true,
  more: ForwarderOptions = {},
) {
  const forwarder = forwardTo(target, { random: () => 0, ...more });
  const sink = await rrdFileSink({ path: PATTERN, ...options, followers: [forwarder] });
  for (const message of messages) await sink.write([message]);
  await until(isOver);
  await sink.close();
  return { forwarder, sink };
}

/**
 * A disk on which `a-0001.rrd` and the index are gone from the next time on that the file is opened or
 * read, and back after so many times.
 */
function diskThatGoesAway(how: "openAt" | "readAt", code: string, times: number) {
  let failures = -Infinity;
  const files = memoryFiles(({ kind, path }) => {
    if (kind === how && path.startsWith("a-0001.rrd")) failures++;
    else if (kind !== "kind" || !path.endsWith("index.jsonl")) return;
    if (failures > 0 && failures <= times) throw Object.assign(new Error("it is gone"), { code });
  });
  return {
    files,
    goAway: () => void (failures = 0),
    get failures() {
      return failures;
    },
  };
}

/** Saves messages; what it returns begins to upload their files. */
async function uploading(
  files: ReturnType<typeof memoryFiles>,
  messages: readonly ReturnType<typeof received>[],
) {
  const saved = await rrdFileSink({ path: PATTERN, files });
  for (const message of messages) await saved.write([message]);
  await saved.close();
  return {
    async begin(log: ReturnType<typeof keptLog>) {
      const s3 = new FakeS3();
      const credentials = { accessKeyId: "me", secretAccessKey: "secret" };
      const endpoint = "http://store.example:9000/";
      const options = { credentials, files, fetch: s3.fetch, endpoint };
      const forwarder = forwardTo(s3Target("s3://bucket/box-7/", options), { random: () => 0 });
      const followers = [forwarder];
      const sink = await rrdFileSink({ path: PATTERN, files, log, timer: soon, followers });
      return { s3, forwarder, sink };
    },
  };
}

describe("forwardTo", () => {
  it("says what waits for a target that has acknowledged nothing yet", async () => {
    const target = fakeTarget();
    target.before = () => Promise.reject(new Error("down"));
    const files = memoryFiles();
    await run(target, { files }, [received(announcement("a")), ...batch("a", 0, 5)]);
    const status = await cursorStatus({ pattern: { folder: "", name: PATTERN }, adapter: files });
    assertEquals(status.map(({ target, waitingFiles }) => [target, waitingFiles]), [
      ["fake://target", 1],
    ]);
  });

  it("may be tried again where its cursor could not be read", async () => {
    let fails = true;
    const files = memoryFiles(({ path, kind }) => {
      if (fails && kind === "kind" && path.startsWith(CURSOR)) throw new Error("EIO");
    });
    const target = fakeTarget();
    const options = { path: PATTERN, files, followers: [forwardTo(target)] };
    await assertRejects(() => rrdFileSink(options), Error, "EIO");
    fails = false;
    const sink = await rrdFileSink(options);
    await sink.write([received(announcement("a")), ...batch("a", 0, 2)]);
    await until(() => target.taken.length === 2);
    await sink.close();
  });

  it("sends what was logged, once and in order, and not what parts begin with", async () => {
    const files = memoryFiles();
    const target = fakeTarget();
    const messages = [
      received(announcement("a")),
      received(chunk("a", -1, false, true)),
      ...batch("a", 0, 50),
    ];
    const options = { files, rotation: { maxBytes: 1000 } };
    const { forwarder } = await run(target, options, messages);
    assert(files.paths.filter((path) => path.endsWith(".rrd")).length > 3);
    assertEquals(target.taken, ["a -1", ...numbered("a", 0, 50)]);
    const announced = target.batches.flatMap(({ messages }) => messages)
      .filter(({ msg }) => msg.kind === "SetStoreInfo");
    assertEquals(announced.length, 1);
    assertEquals(forwarder.stats.sent.messages, 52);
    assertEquals(forwarder.stats.lagBytes, 0);
    for (const { messages } of target.batches) {
      for (const { application, recording } of messages) {
        assertEquals([application, recording], ["robot", "a"]);
      }
    }
  });

  it("numbers the logged messages of a file, with no number twice", async () => {
    const target = fakeTarget();
    await run(target, { files: memoryFiles(), rotation: { maxBytes: 1000 } }, [
      received(announcement("a")),
      ...batch("a", 0, 50),
    ]);
    const next = new Map<string, number>();
    for (const { file, messages } of target.batches) {
      for (const { number } of messages) {
        assertEquals(number, next.get(file) ?? 0);
        next.set(file, number + 1);
      }
    }
    assert(next.size > 3);
  });

  it("goes on behind what was acknowledged, in a later run", async () => {
    const files = memoryFiles();
    const first = fakeTarget();
    first.before = () => {
      if (first.taken.length >= 20) throw new Error("unplugged");
    };
    await run(
      first,
      { files },
      [received(announcement("a")), ...batch("a", 0, 50)],
      () => first.taken.length >= 20,
    );
    const second = fakeTarget();
    await run(second, { files }, batch("a", 50, 60));
    assertEquals([...first.taken, ...second.taken], numbered("a", 0, 60));
    const third = fakeTarget();
    await run(third, { files }, []);
    assertEquals(third.taken, []);
  });

  it("says what it does not send because the index of the recordings was lost", async () => {
    const files = memoryFiles();
    const target = fakeTarget();
    target.before = () => {
      throw new Error("unplugged");
    };
    const rotation = { maxBytes: 12_000 };
    await run(target, { files, rotation }, [received(announcement("a")), ...batch("a", 0, 30)]);
    const lost = files.paths.filter((path) => /^a-\d+\.rrd$/.test(path)).length;
    assert(lost > 1);
    const told = async () => {
      const log = keptLog();
      await run(fakeTarget(), { files, rotation, log }, [received(announcement("b"))]);
      return log.of("warn").filter((text) => text.includes("not forwarded"));
    };
    assertEquals(await told(), []);
    await files.remove(`${PATTERN}.index.jsonl`);
    const [text, ...more] = await told();
    const begin = `a-0001.rrd, and ${lost} more like it, is not forwarded to fake://target: `;
    assertEquals([text?.startsWith(begin), more], [true, []], text);
  });

  it("sends all, and says so, where its cursor is that of another target", async () => {
    const files = memoryFiles();
    const log = keptLog();
    const other: FakeTarget = { ...fakeTarget(), name: "fake://other" };
    await run(other, { files }, [received(announcement("a")), ...batch("a", 0, 5)]);
    const path = files.paths.find((path) => path.includes("fake-other"))!;
    const own = cursorPath({ folder: "", name: PATTERN }, "fake://target");
    await files.rename(path, own);
    const target = fakeTarget();
    await run(target, { files, log }, [], () => target.taken.length === 5);
    assertEquals(target.taken, numbered("a", 0, 5));
    const why =
      "is the cursor of fake://other, and not of fake://target: all that is here is sent again";
    assertEquals(log.of("error"), [`${own} ${why}`]);
    // From then on it is its own.
    log.lines.length = 0;
    const later = fakeTarget();
    await run(later, { files, log }, batch("a", 5, 6), () => later.taken.length === 1);
    assertEquals([later.taken, log.of("error")], [["a 5"], []]);
  });

  it("tries the same batch again after an error, and holds nobody up", async () => {
    const target = fakeTarget();
    let failures = 0;
    target.before = () => {
      if (failures++ < 3) throw new Error("unplugged");
    };
    const timer = (ms: number, callback: () => void) => {
      const id = setTimeout(callback, Math.min(ms, 5));
      return () => clearTimeout(id);
    };
    const messages = [received(announcement("a")), ...batch("a", 0, 30)];
    const options = { files: memoryFiles(), timer };
    const { forwarder } = await run(target, options, messages, () => target.taken.length === 30);
    assertEquals(target.taken, numbered("a", 0, 30));
    assertEquals(forwarder.stats.outageSec, 0);
  });

  it("sends all, once and in order, where files can't be read for a while", async () => {
    // As where a process has too many files open: at the first, and in the middle of a file.
    for (const failing of ["openAt", "readAt"] as const) {
      let [calls, failures] = [0, 0];
      const files = memoryFiles(({ kind, path }) => {
        if (kind !== failing || !path.includes(".rrd") || path.includes("index")) return;
        if (++calls === 1 && kind === "readAt" || failures++ >= 12) return;
        throw Object.assign(new Error("too many files are open"), { code: "EMFILE" });
      });
      const log = keptLog();
      const first = fakeTarget();
      first.before = () => Promise.reject(new Error("unplugged"));
      const count = 3000; // more than is read at once
      await run(first, { files }, [received(announcement("a")), ...batch("a", 0, count)]);
      const target = fakeTarget({ maxBytes: 1_000_000 });
      const more: Partial<RrdFileSinkOptions> = { files, log, timer: soon };
      await run(target, more, [], () => target.taken.length >= count);
      assertEquals(target.taken, numbered("a", 0, count));
      assert(failures > 1, failing);
      assertEquals(log.of("error"), []);
      assert(log.of("warn").some((text) => /can't be read now/.test(text)), failing);
    }
  });

  it("waits for recordings that are all gone, as on a drive that was taken out", async () => {
    for (const [how, code, times] of [["openAt", "ENOENT", 8], ["readAt", "EIO", 2]] as const) {
      const disk = diskThatGoesAway(how, code, times);
      const first = fakeTarget();
      first.before = () => Promise.reject(new Error("unplugged"));
      await run(first, { files: disk.files }, [received(announcement("a")), ...batch("a", 0, 9)]);
      disk.goAway();
      const [log, target] = [keptLog(), fakeTarget()];
      const options = { files: disk.files, log, timer: soon };
      await run(target, options, [], () => target.taken.length === 9);
      assertEquals(target.taken, numbered("a", 0, 9));
      assert(disk.failures > times, how);
      assertEquals(log.of("error"), []);
      assert(log.of("warn").some((text) => /can't be read now/.test(text)), how);
    }
  });

  it("sends other files while one can't be read", async () => {
    let isReadable = false;
    const files = memoryFiles(({ kind, path }) => {
      if (isReadable || kind !== "openAt" || !path.startsWith("a-0001.rrd")) return;
      throw Object.assign(new Error("permission denied"), { code: "EACCES" });
    });
    const first = fakeTarget();
    first.before = () => Promise.reject(new Error("unplugged"));
    const messages = ["a", "b"].flatMap((id) => [received(announcement(id)), ...batch(id, 0, 9)]);
    await run(first, { files }, messages);
    const target = fakeTarget({ maxUnderWay: 1 });
    // Nothing is tried again before the other file has come.
    const waiting: (() => void)[] = [];
    const timer = (ms: number, action: () => void) => {
      if (ms < 100 || isReadable) return soon(ms, action);
      waiting.push(action);
      return () => {};
    };
    await run(target, { files, timer }, [], () => {
      if (target.taken.length < 9) return false;
      isReadable = true;
      for (const action of waiting.splice(0)) action();
      return target.taken.length === 18;
    });
    assertEquals(target.taken, [...numbered("b", 0, 9), ...numbered("a", 0, 9)]);
  });

  it("keeps no end waiting for a file that can't be read", async () => {
    const files = memoryFiles(({ kind, path }) => {
      if (kind !== "openAt" || !path.startsWith("a-0001.rrd")) return;
      throw Object.assign(new Error("permission denied"), { code: "EACCES" });
    });
    const first = fakeTarget();
    first.before = () => Promise.reject(new Error("unplugged"));
    const messages = ["a", "b"].flatMap((id) => [received(announcement(id)), ...batch(id, 0, 9)]);
    await run(first, { files }, messages);
    const target = fakeTarget();
    const log = keptLog();
    // No deadline passes, so that what waits for one never ends.
    const timer = () => () => {};
    const isTold = () => log.of("warn").some((text) => /can't be read now/.test(text));
    const isOver = () => target.taken.length === 9 && isTold();
    const { forwarder } = await run(target, { files, log, timer }, [], isOver);
    assertEquals(target.taken, numbered("b", 0, 9));
    assert(forwarder.stats.lagBytes > 0);
  });

  it("uploads other files while one can't be read, and none that has a bad spot", async () => {
    let isReadable = false;
    const files = memoryFiles(({ kind, path }) => {
      const code = path.startsWith("a-") && !isReadable && kind === "openAt"
        ? "EACCES"
        : path.startsWith("c-") && kind === "readAt"
        ? "EIO"
        : undefined;
      if (code !== undefined) throw Object.assign(new Error("the disk says no"), { code });
    });
    const messages = ["a", "b", "c", "d"].flatMap((id) => [
      received(announcement(id)),
      ...batch(id, 0, 9),
    ]);
    const [log, uploads] = [keptLog(), await uploading(files, messages)];
    const { s3, forwarder, sink } = await uploads.begin(log);
    await until(() => s3.objects.has("box-7/d-0001.rrd"));
    assertEquals([...s3.objects.keys()], ["box-7/b-0001.rrd", "box-7/d-0001.rrd"]);
    assertEquals(forwarder.stats.outageSec, 0);
    isReadable = true;
    await until(() => s3.objects.has("box-7/a-0001.rrd"));
    await sink.close();
    assertEquals(forwarder.stats.refused.messages, 10);
    assertEquals(log.of("warn").filter((text) => /can't be read now/.test(text)).length, 1);
  });

  it("uploads files that were all gone for a while once they are back", async () => {
    const disk = diskThatGoesAway("openAt", "ENOENT", 3);
    const messages = [received(announcement("a")), ...batch("a", 0, 9)];
    const [log, uploads] = [keptLog(), await uploading(disk.files, messages)];
    disk.goAway();
    const { s3, forwarder, sink } = await uploads.begin(log);
    await until(() => s3.objects.has("box-7/a-0001.rrd"));
    await sink.close();
    assertEquals(forwarder.stats.refused.messages, 0);
    assertEquals(log.of("error"), []);
  });

  it("counts what a viewer removed before it was sent", async () => {
    const files = memoryFiles();
    const target = fakeTarget();
    target.before = () => Promise.reject(new Error("unplugged"));
    const forwarder = forwardTo(target, { random: () => 0 });
    const rotation = { maxBytes: 1000 };
    const sink = await rrdFileSink({
      ...{ path: PATTERN, files, rotation, shelved: true, followers: [forwarder] },
    });
    await sink.write([received(announcement("a"))]);
    for (const message of batch("a", 0, 50)) await sink.write([message]);
    await until(() => files.paths.includes("a-0002.rrd"));
    await until(() => target.batches.length > 0);
    assertEquals(await sink.shelf!.remove("a-0002.rrd"), "removed");
    assert(forwarder.stats.dropped.messages > 0);
    await sink.close();
  });

  it("needs no disk right behind the writer", async () => {
    const files = memoryFiles();
    const target = fakeTarget();
    const opened: string[] = [];
    const counting = {
      ...files,
      openAt: (path: string) => {
        if (path.includes(".rrd.part")) opened.push(path);
        return files.openAt(path);
      },
    };
    const forwarder = forwardTo(target);
    const sink = await rrdFileSink({ path: PATTERN, files: counting, followers: [forwarder] });
    await sink.write([received(announcement("a"))]);
    for (let at = 0; at < 30; at += 10) {
      await sink.write(batch("a", at, at + 10));
      await until(() => target.taken.length === at + 10);
    }
    assertEquals(opened, []);
    await sink.close();
    assertEquals(target.taken, numbered("a", 0, 30));
  });

  it("tells targets for how long messages have waited, at each try anew", async () => {
    const target = fakeTarget();
    const waited: number[] = [];
    let ms = 0;
    target.before = ({ waitedMs = NaN }) => {
      waited.push(waitedMs);
      ms += 5000;
      if (waited.length < 3) throw new Error("unplugged");
    };
    const timer = (_: number, callback: () => void) => {
      const id = setTimeout(callback, 1);
      return () => clearTimeout(id);
    };
    const messages = [received(announcement("a")), ...batch("a", 0, 3)];
    const options = { files: memoryFiles(), timer, now: () => ms };
    await run(target, options, messages, () => target.taken.length === 3);
    assertEquals(waited.slice(0, 3), [0, 5000, 10_000]);
  });

  it("does not wait for the disk between batches", async () => {
    const files = memoryFiles();
    const target = fakeTarget();
    const forwarder = forwardTo(target);
    const stuck = Promise.withResolvers<void>();
    const slow = {
      ...files,
      create: async (path: string, mode: "new" | "replace" | "append") => {
        const file = await files.create(path, mode);
        return path.includes(".forward-") ? { ...file, sync: () => stuck.promise } : file;
      },
    };
    const sink = await rrdFileSink({ path: PATTERN, files: slow, followers: [forwarder] });
    await sink.write([received(announcement("a"))]);
    for (let at = 0; at < 30; at += 10) {
      await sink.write(batch("a", at, at + 10));
      await until(() => target.taken.length === at + 10);
    }
    stuck.resolve();
    await sink.close();
  });

  it("counts what a target refuses, message by message, tells it once, and sends all others", async () => {
    const target = fakeTarget();
    const log = keptLog();
    target.before = ({ messages }) => {
      if (!messages.some(({ number }) => number === 7 || number === 21)) return;
      throw new TargetRefused("no", "batch");
    };
    const messages = [received(announcement("a")), ...batch("a", 0, 30)];
    const { forwarder } = await run(target, { files: memoryFiles(), log }, messages);
    // Number 0 is the announcement.
    const lost = ["a 6", "a 20"];
    assertEquals(target.taken, numbered("a", 0, 30).filter((text) => !lost.includes(text)));
    assertEquals(forwarder.stats.refused.messages, 2);
    const told = log.of("warn").filter((text) => text.endsWith(`forwarded to ${target.name}: no`));
    assertEquals(told.length, 1);
  });

  it("sends recordings side by side, and parts of one recording one after the other", async () => {
    const target = fakeTarget({ maxBytes: 300 });
    let [underWay, most] = [0, 0];
    target.before = async () => {
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setTimeout(resolve, 1));
      underWay--;
    };
    const names = ["a", "b", "c"];
    const messages = names.map((name) => received(announcement(name)));
    for (let i = 0; i < 40; i++) {
      for (const name of names) messages.push(received(chunk(name, i)));
    }
    const options = { files: memoryFiles(), rotation: { maxBytes: 600 } };
    await run(target, options, messages, () => target.taken.length === 120);
    for (const name of names) {
      const own = target.taken.filter((text) => text.startsWith(`${name} `));
      assertEquals(own, numbered(name, 0, 40));
    }
    assertEquals(most > 1, true);
  });

  it("ends an outage with the first piece that is acknowledged, however long the batch takes", async () => {
    const target = fakeTarget();
    let tries = 0;
    target.before = async (batch) => {
      if (++tries === 1) throw new Error("unplugged");
      if (tries > 2) return;
      batch.onPiece!();
      // Other files are sent meanwhile.
      await until(() => target.taken.length > 0);
    };
    const messages = ["a", "b", "c"].flatMap((name) => [
      received(announcement(name)),
      ...batch(name, 0, 5),
    ]);
    const { forwarder } = await run(target, { files: memoryFiles() }, messages, () => {
      return target.taken.length === 15;
    });
    assertEquals([forwarder.stats.outageSec, target.taken.length], [0, 15]);
  });

  it("gathers each recording of a file, where a target sends recordings by themselves", async () => {
    const [recordings, each] = [50, 20];
    const names = Array.from({ length: recordings }, (_, i) => `r${i}`);
    const msgs = Array.from({ length: each }, (_, i) => names.map((name) => chunk(name, i))).flat();
    const bytes = Math.max(...msgs.map(({ encoded }) => encoded.bytes.length));
    const limits = { maxBytes: 2 * recordings * bytes, maxRecordingBytes: 2 * bytes };
    const target = fakeTarget(limits);
    await run(target, { path: "{part}.rrd", files: memoryFiles() }, [
      ...names.map((name) => received(announcement(name))),
      ...msgs.map((msg) => received(msg)),
    ], () => target.taken.length === msgs.length);
    for (const name of names) {
      const own = target.taken.filter((text) => text.startsWith(`${name} `));
      assertEquals(own, numbered(name, 0, each));
    }
    for (const { bytes } of target.batches) assert(bytes <= limits.maxBytes, `${bytes} bytes`);
    // The first ones are of few recordings, since nobody knows then how many there are.
    assert(target.batches.length < 3 * each / 2, `${target.batches.length} batches`);
  });

  it("gathers no more of several recordings than may be in memory", async () => {
    const names = Array.from({ length: 20 }, (_, i) => `r${i}`);
    const msgs = Array.from({ length: 10 }, (_, i) => names.map((name) => chunk(name, i))).flat();
    const bytes = Math.max(...msgs.map(({ encoded }) => encoded.bytes.length));
    const target = fakeTarget({ maxBytes: 100 * bytes, maxRecordingBytes: 2 * bytes });
    await run(
      target,
      { path: "{part}.rrd", files: memoryFiles() },
      [...names.map((name) => received(announcement(name))), ...msgs.map((msg) => received(msg))],
      () => target.taken.length === msgs.length,
      { maxHeldBytes: 5 * bytes },
    );
    for (const batch of target.batches) assert(batch.bytes <= 5 * bytes, `${batch.bytes} bytes`);
  });

  it("sends no more of one recording at once because its target takes more of several", async () => {
    const msgs = Array.from({ length: 100 }, (_, i) => chunk("a", i));
    const bytes = Math.max(...msgs.map(({ encoded }) => encoded.bytes.length));
    const target = fakeTarget({ maxBytes: 100 * bytes, maxRecordingBytes: 4 * bytes });
    await run(
      target,
      { path: "{part}.rrd", files: memoryFiles() },
      [received(announcement("a")), ...msgs.map((msg) => received(msg))],
      () => target.taken.length === msgs.length,
    );
    assertEquals(target.taken, numbered("a", 0, 100));
    for (const batch of target.batches) assert(batch.bytes <= 4 * bytes, `${batch.bytes} bytes`);
  });

  it("holds as many bytes as its limit says, and one long message besides", async () => {
    const maxBytes = 2000;
    const target = fakeTarget({ maxBytes, maxUnderWay: 100 });
    const underWay = new Set<{ readonly bytes: number }>();
    let [most, mostLong] = [0, 0];
    target.before = async (batch) => {
      underWay.add(batch);
      const lengths = [...underWay].map(({ bytes }) => bytes);
      const short = lengths.filter((bytes) => bytes <= maxBytes);
      most = Math.max(most, short.reduce((sum, bytes) => sum + bytes, 0));
      mostLong = Math.max(mostLong, lengths.length - short.length);
      await new Promise((resolve) => setTimeout(resolve, 1));
      underWay.delete(batch);
    };
    const names = Array.from({ length: 8 }, (_, i) => `r${i}`);
    const messages = names.map((name) => received(announcement(name)));
    for (let i = 0; i < 30; i++) {
      // Every tenth is longer than a batch.
      for (const name of names) messages.push(received(chunk(name, i, i % 10 === 9)));
    }
    const long = messages.at(-1)!.payload;
    assert(long.type === "msg" && long.msg.encoded.bytes.length > 2 * maxBytes);
    const held = { maxHeldBytes: 3 * maxBytes };
    const { forwarder } = await run(
      target,
      { files: memoryFiles() },
      messages,
      () => target.taken.length === 240,
      held,
    );
    for (const name of names) {
      const own = target.taken.filter((text) => text.startsWith(`${name} `));
      assertEquals(own, numbered(name, 0, 30));
    }
    assertEquals(forwarder.stats.lagBytes, 0);
    assert(most > maxBytes && most <= held.maxHeldBytes, `${most} bytes at once`);
    assertEquals(mostLong, 1);
  });

  it("keeps what is not sent up to twice keep.bytes, then drops the oldest and counts it", async () => {
    const files = memoryFiles();
    const target = fakeTarget();
    target.before = () => {
      throw new Error("unplugged");
    };
    const messages = [received(announcement("a")), ...batch("a", 0, 200)];
    const options = { files, rotation: { maxBytes: 1000 }, keep: { bytes: 5000 } };
    const { forwarder } = await run(target, options, messages);
    const kept = files.paths.filter((path) => path.endsWith(".rrd"))
      .reduce((sum, path) => sum + files.read(path)!.length, 0);
    assert(kept > 6000 && kept <= 10_000, `${kept} bytes are kept`);
    assert(forwarder.stats.dropped.messages > 0);
    // After the gap the recording is announced again.
    const later = fakeTarget();
    await run(later, { files, keep: { bytes: 1_000_000 } }, []);
    const all = later.batches.flatMap(({ messages }) => messages);
    assertEquals(all[0]!.msg.kind, "SetStoreInfo");
    assertEquals(later.taken.at(-1), "a 199");
    assertEquals(later.taken, numbered("a", 200 - later.taken.length, 200));
    assertEquals(later.taken.length + forwarder.stats.dropped.messages, 201);
  });

  it("removes nothing that is not sent where it is told so", async () => {
    const files = memoryFiles();
    const target = fakeTarget();
    target.before = () => {
      throw new Error("unplugged");
    };
    const keep = { bytes: 2000, unforwarded: "keep" } as const;
    const messages = [received(announcement("a")), ...batch("a", 0, 200)];
    await run(target, { files, rotation: { maxBytes: 1000 }, keep }, messages);
    const later = fakeTarget();
    await run(later, { files, keep }, []);
    assertEquals(later.taken, numbered("a", 0, 200));
    // What was sent makes room.
    const kept = files.paths.filter((path) => path.endsWith(".rrd"))
      .reduce((sum, path) => sum + files.read(path)!.length, 0);
    assert(kept <= 2500, `${kept} bytes are kept`);
  });

  it("sends all again, and drops nothing, where its cursor is torn at any byte", async () => {
    const files = memoryFiles();
    const first = fakeTarget();
    await run(first, { files }, [received(announcement("a")), ...batch("a", 0, 50)]);
    const path = files.paths.find((path) => path.startsWith(CURSOR))!;
    const cursor = files.read(path)!;
    for (let length = 0; length < cursor.length; length += cases(7, 40)) {
      const torn = await files.create(path, "replace");
      await torn.write(cursor.subarray(0, length));
      await torn.close();
      const second = fakeTarget();
      await run(second, { files }, []);
      const expected = numbered("a", 50 - second.taken.length, 50);
      assertEquals(second.taken, expected, `cut to ${length} bytes`);
    }
  });
});
