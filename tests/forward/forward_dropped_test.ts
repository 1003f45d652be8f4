/** What is removed from the disk while the target takes nothing, and what goes on behind it. */
import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { memoryFiles } from "../../lib/adapters/files/memory_files.ts";
import type { LogMsg } from "../../lib/encoding/log_msg.ts";
import type { Log } from "../../lib/base/log.ts";
import { forwardTo } from "../../lib/forward/forward_to.ts";
import { rrdFileSink } from "../../lib/sinks/file/rrd_file.ts";
import { announcement, chunk, received } from "./chunks.ts";
import { keptLog } from "../sinks/messages.ts";
import { type FakeTarget, fakeTarget } from "./fake_target.ts";
import { until } from "./until.ts";

const PATTERN = "{recording_id}-{part}.rrd";

/** Timers that fire at once, but those of a pause after a failure only when it is told so. */
function pausedTimers() {
  let [isOpen, waiting]: [boolean, (() => void)[]] = [false, []];
  const timer = (ms: number, action: () => void) => {
    if (ms >= 100 && !isOpen) {
      waiting.push(action);
      return () => void (waiting = waiting.filter((other) => other !== action));
    }
    const timer = setTimeout(action, 0);
    return () => clearTimeout(timer);
  };
  const open = () => {
    isOpen = true;
    for (const action of waiting.splice(0)) action();
  };
  return { timer, open };
}

/** A target that takes nothing until it is told so, with the most calls of a recording at once. */
function closedTarget(maxUnderWay: number) {
  let [isOpen, underWay] = [false, 0];
  const target = fakeTarget({ maxUnderWay });
  const seen = { most: 0, tries: 0, accepted: [] as LogMsg[] };
  target.before = async ({ messages }) => {
    seen.tries++;
    if (!isOpen) throw new Error("unplugged");
    seen.accepted.push(...messages.map(({ msg }) => msg));
    seen.most = Math.max(seen.most, ++underWay);
    await Promise.resolve();
    underWay--;
  };
  return { target, seen, open: () => void (isOpen = true) };
}

describe("forwardTo, when files make room before they are sent", () => {
  for (const maxUnderWay of [1, 4]) {
    it(`counts each message once and keeps the order, with ${maxUnderWay} calls`, async () => {
      const files = memoryFiles();
      const { target, seen, open } = closedTarget(maxUnderWay);
      const { timer, open: openTimers } = pausedTimers();
      const forwarder = forwardTo(target, { random: () => 0 });
      const sink = await rrdFileSink({
        ...{ path: PATTERN, files, timer, followers: [forwarder] },
        ...{ rotation: { maxBytes: 1000 }, keep: { bytes: 5000 } },
      });
      await sink.write([received(announcement("a"))]);
      for (let i = 0; i < 200; i++) {
        await sink.write([received(chunk("a", i))]);
        // It is in the outage, and holds a batch of the first file, before anything makes room.
        if (i === 20) await until(() => seen.tries > 0);
      }
      await until(() => forwarder.stats.dropped.messages > 100);
      open();
      openTimers();
      await until(() => target.taken.at(-1) === "a 199" && forwarder.stats.lagBytes === 0);
      await sink.close();
      const { taken } = target;
      assertEquals(seen.most, 1);
      assertEquals(taken, Array.from(taken, (_, i) => `a ${200 - taken.length + i}`));
      assertEquals(taken.length + forwarder.stats.dropped.messages, 201);
      // What comes behind the gap begins with the announcement.
      assertEquals(seen.accepted[0]!.kind, "SetStoreInfo");
    });
  }

  it("goes on at once behind a file that waited until it could be read", async () => {
    const files = memoryFiles(({ kind, path }) => {
      if (kind !== "openAt" || path !== "a-0001.rrd") return;
      throw Object.assign(new Error("too many files are open"), { code: "EMFILE" });
    });
    const rotation = { maxBytes: 1000 };
    const first = await rrdFileSink({ path: PATTERN, files, rotation });
    await first.write([received(announcement("a"))]);
    for (let i = 0; i < 200; i++) await first.write([received(chunk("a", i))]);
    await first.close();
    const [target, log] = [fakeTarget(), keptLog()];
    const { timer } = pausedTimers();
    const forwarder = forwardTo(target, { random: () => 0 });
    const sink = await rrdFileSink({
      ...{ path: PATTERN, files, log, timer, rotation, followers: [forwarder] },
      keep: { bytes: 5000 },
    });
    await until(() => log.of("warn").some((text) => /a-0001.*can't be read now/.test(text)));
    await sink.write([received(announcement("b"))]);
    for (let i = 0; i < 40; i++) await sink.write([received(chunk("b", i))]);
    await until(() => forwarder.stats.dropped.messages > 0 && target.taken.includes("a 199"));
    await sink.close();
  });

  it("tells of nothing where a crash left a file without any message", async () => {
    const files = memoryFiles();
    const running = new Set([7, 8]);
    const identity = (pid: number) => Promise.resolve(running.has(pid) ? `${pid} 1` : undefined);
    const open = (pid: number, target: FakeTarget, log: Log) =>
      rrdFileSink({
        ...{ path: PATTERN, files, log, processes: { pid, identity } },
        followers: [forwardTo(target, { random: () => 0 })],
      });
    const crashed = await open(7, closedTarget(1).target, keptLog());
    await crashed.write([received(announcement("a")), received(chunk("a", 0))]);
    running.delete(7);
    await (await files.create("a-0001.rrd.part", "replace")).close();
    const [target, log] = [fakeTarget(), keptLog()];
    const sink = await open(8, target, log);
    await sink.recovered;
    await sink.write([received(announcement("a")), received(chunk("a", 1))]);
    await sink.close();
    const warnings = log.of("warn");
    assertEquals(warnings.filter((text) => /no whole message/.test(text)).length, 1);
    assertEquals(warnings.filter((text) => /made room/.test(text)), []);
    assertEquals(target.taken, ["a 1"]);
    await crashed.close().catch(() => {}); // its file was taken from it
  });
});
