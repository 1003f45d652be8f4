import { describe, it } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import { memoryFiles } from "../../lib/adapters/files/memory_files.ts";
import { silentLog } from "../../lib/base/log.ts";
import { Cursor } from "../../lib/forward/cursor.ts";
import { cursorStatus, resetCursors } from "../../lib/forward/cursor_files.ts";

import { forwardTo } from "../../lib/forward/forward_to.ts";
import { TargetRefused } from "../../lib/forward/target.ts";
import { rrdFileSink } from "../../lib/sinks/file/rrd_file.ts";
import { keptLog } from "../sinks/messages.ts";
import { announcement, chunk, received, told } from "./chunks.ts";
import { type FakeTarget, fakeTarget } from "./fake_target.ts";
import { soon, until } from "./until.ts";

const PATTERN = { folder: "", name: "{part}.rrd" };

/** Saves messages of one recording in small files, and forwards them. */
async function saving(
  files: ReturnType<typeof memoryFiles>,
  count: number,
  { target = fakeTarget(), keep = {} }: {
    readonly target?: FakeTarget;
    readonly keep?: { readonly bytes?: number };
  },
) {
  const log = keptLog();
  const forwarder = forwardTo(target, { random: () => 0, date: () => 1234 });
  const sink = await rrdFileSink({
    ...{ path: "{part}.rrd", files, log, timer: soon, followers: [forwarder] },
    ...{ rotation: { maxBytes: 5000 }, keep },
  });
  await sink.write([received(announcement("a"))]);
  for (let i = 0; i < count; i++) await sink.write([received(chunk("a", i))]);
  return { sink, log, target, stats: () => forwarder.stats };
}

describe("cursorStatus", () => {
  it("tells what was removed before it was sent, also after a start, until it is reset", async () => {
    const files = memoryFiles();
    const target = fakeTarget();
    let isOpen = false;
    target.before = () => {
      if (!isOpen) throw new Error("unplugged");
    };
    const { sink, stats } = await saving(files, 200, { target, keep: { bytes: 20_000 } });
    await until(() => stats().dropped.messages > 100);
    isOpen = true;
    await until(() => stats().lagBytes === 0);
    await sink.close();
    const { messages, bytes } = stats().dropped;
    const options = { pattern: PATTERN, adapter: files };
    const dropped = async () => (await cursorStatus(options))[0]!.dropped;
    assertEquals(await dropped(), { messages, bytes, lastMs: 1234 });
    // Lines are written anew now and then.
    const [path] = files.paths.filter((path) => path.includes(".forward-"));
    const again = { path: path!, adapter: files, log: silentLog, now: () => 0, target: "x" };
    const cursor = await Cursor.open(again);
    for (let i = 0; i < 3000; i++) await cursor.note("b", "done");
    await cursor.close();
    assertEquals(await dropped(), { messages, bytes, lastMs: 1234 });
    await resetCursors(options, "now");
    assertEquals(await dropped(), { messages: 0, bytes: 0, lastMs: 0 });
  });

  it("tells what a target refused, and what could not be read", async () => {
    const files = memoryFiles();
    const target = fakeTarget();
    target.before = ({ messages }) => {
      if (messages.some(({ msg }) => told(msg) === "a 2")) throw new TargetRefused("no", "batch");
    };
    const { sink, log } = await saving(files, 4, { target });
    await sink.close();
    assertEquals(log.of("error"), []);
    const options = { pattern: PATTERN, adapter: files };
    const [first] = await cursorStatus(options);
    assertEquals([first!.refused.messages, first!.unreadable.messages], [1, 0]);
    await resetCursors(options, "oldest");
    await files.remove("0001.rrd");
    const again = await saving(files, 0, {});
    await until(() => again.log.of("error").length > 0);
    await again.sink.close();
    const [second] = await cursorStatus(options);
    assertEquals([second!.refused.messages, second!.unreadable.messages], [0, 5]);
  });
});

describe("Cursor of a target", () => {
  it("forgets files that were sent and then removed", async () => {
    const files = memoryFiles();
    const { sink, target } = await saving(files, 500, { keep: { bytes: 20_000 } });
    await until(() => target.taken.length === 500);
    await sink.close();
    const [path] = files.paths.filter((path) => path.includes(".forward-"));
    const options = { path: path!, adapter: files, log: silentLog, now: () => 0, target: "x" };
    const cursor = await Cursor.open(options);
    const there = files.paths.filter((path) => path.endsWith(".rrd"));
    assertEquals([...cursor.files].length, there.length);
  });

  it("forgets at the start what was removed while the target was not forwarded to", async () => {
    const files = memoryFiles();
    const rotation = { maxBytes: 5000 };
    const target = fakeTarget({ maxBytes: 1 });
    target.before = ({ messages }) => {
      if (messages.some(({ number }) => number === 1)) throw new Error("unplugged");
    };
    const first = await saving(files, 9, { target });
    await until(() => first.stats().error !== undefined);
    await first.sink.close();
    const between = await rrdFileSink({
      ...{ path: "{part}.rrd", files, rotation, keep: { bytes: 10_000 } },
    });
    await between.write([received(announcement("a"))]);
    for (let i = 0; i < 50; i++) await between.write([received(chunk("a", i))]);
    await between.close();
    const again = await saving(files, 0, {});
    await again.sink.close();
    assertEquals(again.log.of("warn"), [
      "1 file of which fake://target may not have had all were removed while nothing was " +
      "forwarded there",
    ]);
    const [path] = files.paths.filter((path) => path.includes(".forward-"));
    const cursor = await Cursor.open({
      ...{ path: path!, adapter: files, log: silentLog, now: () => 0, target: "x" },
    });
    const there = files.paths.filter((path) => path.endsWith(".rrd"));
    assertEquals([...cursor.files].length, there.length);
  });
});

describe("resetCursors", () => {
  it("says so where the disk takes nothing, and leaves the cursor as it was", async () => {
    let isFull = false;
    const adapter = memoryFiles(({ kind }) => {
      if (isFull && (kind === "create" || kind === "write")) throw new Error("no space left");
    });
    const index = await adapter.create("{part}.rrd.index.jsonl", "new");
    const line = { kind: "file", id: "f", name: "0001.rrd", bytes: 100, state: "closed" };
    await index.write(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
    const path = "{part}.rrd.forward-fake-00000000.jsonl";
    const cursor = await Cursor.open({
      ...{ path, adapter, log: silentLog, now: () => 0, target: "fake://target" },
    });
    cursor.begin();
    await cursor.close();
    const options = { pattern: PATTERN, adapter };
    const waiting = async () => (await cursorStatus(options)).map((all) => all.waitingFiles);
    isFull = true;
    await assertRejects(() => resetCursors(options, "now"), Error, "no space left");
    assertEquals(await waiting(), [1]);
    isFull = false;
    assertEquals(await resetCursors(options, "now"), ["fake://target"]);
    assertEquals(await waiting(), [0]);
  });
});
