import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { memoryFiles } from "../../../lib/adapters/files/memory_files.ts";
import type { ProcessAdapter } from "../../../lib/adapters/process/types.ts";
import { SaveLocked } from "../../../lib/base/errors.ts";
import { rrdFileSink, type RrdFileSinkOptions } from "../../../lib/sinks/file/rrd_file.ts";
import { captureMessages, keptLog, msgpackMessage } from "../messages.ts";

const MESSAGES = captureMessages("0.22.1-mixed");
const PATTERN = "rec-{part}.rrd";

/** A machine whose running processes can be ended. */
function machine(pids: number[]) {
  const running = new Set(pids);
  const adapter = (pid: number): ProcessAdapter => ({
    pid,
    identity: (pid) => Promise.resolve(running.has(pid) ? `${pid} 1` : undefined),
  });
  return { adapter, end: (pid: number) => running.delete(pid) };
}

function setUp(pids = [7, 8, 9]) {
  const files = memoryFiles();
  const { adapter, end } = machine(pids);
  const log = keptLog();
  const open = (pid: number, options: Partial<RrdFileSinkOptions> = {}) =>
    rrdFileSink({ path: PATTERN, files, processes: adapter(pid), log, sync: "always", ...options });
  const names = () => files.paths.filter((path) => !path.endsWith(".index.jsonl")).sort();
  return { open, end, log, names, files };
}

describe("a file sink that is handed over", () => {
  it("lets one more program save beside it, each into files of its own", async () => {
    const { open, names, log } = setUp();
    const first = await open(7);
    await first.write(MESSAGES);
    await assertRejects(() => open(8), SaveLocked);
    assertEquals(await first.handOver(), true);
    const second = await open(8);
    await assertRejects(() => open(9), SaveLocked);
    await second.write(MESSAGES);
    await first.write(MESSAGES);
    assertEquals(
      names(),
      [
        `${PATTERN}.draining-7.lock`,
        `${PATTERN}.lock`,
        "rec-0001.rrd.part",
        "rec-0002.rrd.part",
      ].sort(),
    );
    await first.close();
    assertEquals([first.kept.messages, first.lost.messages], [2 * MESSAGES.length, 0]);
    assertEquals(names(), ["rec-0001.rrd", "rec-0002.rrd.part", `${PATTERN}.lock`].sort());
    await second.close();
    const third = await open(9);
    await third.close();
    assertEquals(names(), ["rec-0001.rrd", "rec-0002.rrd"]);
    assertEquals([...log.of("warn"), ...log.of("error")], []);
  });

  it("has the next program show and count what it closes while that one starts", async () => {
    const { open, files } = setUp();
    const first = await open(7);
    await first.write(MESSAGES);
    await first.handOver();
    const later: typeof files = {
      ...files,
      async open(path) {
        // It has looked into the folder, and reads the index now.
        if (path.endsWith(".index.jsonl")) await first.close();
        return await files.open(path);
      },
    };
    const second = await open(8, { files: later, shelved: true, keep: { files: 1 } });
    const shown = (await second.shelf!.list()).map(({ name, state }) => [name, state]);
    assertEquals(shown, [["rec-0001.rrd", "closed"]]);
    await second.write(MESSAGES);
    await second.close();
    assertEquals(files.paths.filter((path) => path.endsWith(".rrd")), ["rec-0002.rrd"]);
  });

  it("hands on twice: each generation keeps out all but the next", async () => {
    const { open, names } = setUp();
    const first = await open(7);
    await first.write(MESSAGES);
    await first.handOver();
    const second = await open(8);
    await second.write(MESSAGES);
    await second.handOver();
    const third = await open(9);
    await third.write(MESSAGES);
    for (const sink of [second, first, third]) await sink.close();
    assertEquals(names(), ["rec-0001.rrd", "rec-0002.rrd", "rec-0003.rrd"]);
  });

  it("leaves what it wrote to the next start if it dies, and only then", async () => {
    const { open, end, names } = setUp();
    const first = await open(7);
    await first.write(MESSAGES);
    await first.handOver();
    end(7);
    const second = await open(8);
    await second.recovered;
    assert(names().includes("rec-0001.rrd"), names().join());
    assert(!names().includes(`${PATTERN}.draining-7.lock`), names().join());
    await second.close();
  });

  it("recovers what a dead successor left, beside one that still drains", async () => {
    const { open, end, names } = setUp();
    const first = await open(7);
    await first.write(MESSAGES);
    await first.handOver();
    const second = await open(8);
    await second.write(MESSAGES);
    end(8);
    const third = await open(9);
    await third.recovered;
    assert(
      names().includes("rec-0001.rrd.part") && names().includes("rec-0002.rrd"),
      names().join(),
    );
    await first.write(MESSAGES);
    await first.close();
    assertEquals([first.kept.messages, first.lost.messages, first.failed], [
      2 * MESSAGES.length,
      0,
      false,
    ]);
    await third.close();
  });

  it("removes nothing any more: that is for whoever has the lock", async () => {
    const { open, names } = setUp();
    const keep = { files: 1 };
    const rotation = { maxBytes: 1 };
    const first = await open(7, { keep, rotation });
    await first.write([msgpackMessage(1)]);
    await first.handOver();
    for (let i = 0; i < 3; i++) await first.write([msgpackMessage(1)]);
    await first.close();
    assertEquals(names().length, 4);
    const second = await open(8, { keep, rotation });
    await second.write([msgpackMessage(1)]);
    await second.close();
    assertEquals(names(), ["rec-0005.rrd"]);
  });

  it("is not handed over where there is one name, and keeps its lock", async () => {
    const { open } = setUp();
    const first = await open(7, { path: "a.rrd" });
    assertEquals(await first.handOver(), false);
    await assertRejects(() => open(8, { path: "a.rrd" }), SaveLocked);
    await first.close();
  });
});
