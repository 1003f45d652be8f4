import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { type ForwardTarget, forwardTo } from "../../lib/forward/mod.ts";
import { memoryFiles, rrdFileSink } from "../../lib/sinks/mod.ts";
import { keptLog } from "../sinks/messages.ts";
import { announcement, chunk, received } from "./chunks.ts";
import { until } from "./until.ts";

const never = () => new Promise<void>(() => {});
const messages = {
  kind: "messages",
  name: "mine",
  limits: { maxBytes: 1000, maxWaitMs: 5, maxUnderWay: 4 },
  send: () => Promise.resolve(),
  close: () => Promise.resolve(),
};
const files = {
  kind: "files",
  name: "mine",
  maxUnderWay: 1,
  sendFile: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

/** Saves something and closes, with timers that are short; tells what was warned of. */
async function warnings(target: object, isAsked = () => true): Promise<string[]> {
  const log = keptLog();
  const open = () =>
    rrdFileSink({
      ...{ path: "{recording_id}-{part}.rrd", files: disk, log },
      followers: [forwardTo(target as ForwardTarget)],
      timer(ms, callback) {
        const timeout = setTimeout(callback, Math.min(ms, 20));
        return () => clearTimeout(timeout);
      },
    });
  const disk = memoryFiles();
  const sink = await open();
  await sink.write([received(announcement("a"))]);
  for (let i = 0; i < 3; i++) await sink.write([received(chunk("a", i))]);
  await until(isAsked);
  await sink.close();
  // The lock was let go, and all is closed.
  await (await open()).close();
  return [...new Set(log.of("warn").filter((text) => text.includes("did not end")))];
}

describe("a target of one's own that does not end", () => {
  const left = "mine did not end within 5 s, and is left alone: what it has not " +
    "acknowledged is sent at the next start";

  it("is left alone if it never answers, whatever it is told", async () => {
    let asked = 0;
    const silent = () => (asked++, never());
    assertEquals(await warnings({ ...messages, send: silent }, () => asked > 0), [left]);
    assertEquals(await warnings({ ...files, sendFile: silent }), [left]);
  });

  it("is left alone if it never closes", async () => {
    assertEquals(await warnings({ ...messages, close: never }), [left]);
    assertEquals(await warnings({ ...files, close: never }), [left]);
  });

  it("does not keep the files from being closed if its close throws, or returns nothing", async () => {
    const thrown = () => {
      throw new Error("no");
    };
    for (const close of [thrown, () => undefined, () => Promise.reject(new Error("no"))]) {
      assertEquals(await warnings({ ...messages, close }), []);
      assertEquals(await warnings({ ...files, close }), []);
    }
  });
});
