import { describe, it } from "node:test";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { finish, type FinishOptions } from "../../../lib/cli/host/finish.ts";
import { fanOut } from "../../../lib/sinks/fan_out.ts";
import type { Sink } from "../../../lib/sinks/sink.ts";
import { keptLog, msgpackMessage } from "../../sinks/messages.ts";

/** Waits that end only when the test says so, by how long they are. */
function virtualDelays() {
  const ends = new Map<number, () => void>();
  return {
    ends,
    delay: (ms: number) => new Promise<void>((resolve) => void ends.set(ms, resolve)),
  };
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

const stats = {
  connections: { open: 0 },
  messages: 7,
  bytes: 700,
  // Not among those above.
  dropped: { throttled: { messages: 2, bytes: 200 }, overflow: { messages: 1, bytes: 100 } },
};

/** A receiver with one batch under way to a sink that ends it when it is told to, or at its close. */
function stuck(endsAtClose: boolean) {
  let end = () => {};
  const sink: Sink = {
    name: "file",
    write: () => new Promise<void>((resolve) => end = resolve),
    close() {
      if (endsAtClose) end();
      return endsAtClose ? Promise.resolve() : new Promise(() => {});
    },
  };
  const receiver = fanOut([sink]);
  const receiving = receiver.receive((async function* () {
    yield await Promise.resolve([msgpackMessage(2)]);
  })());
  return { receiver, receiving, end: () => end() };
}

async function run(over: Partial<FinishOptions>, endsAtClose = true) {
  const log = keptLog();
  const { delay, ends } = virtualDelays();
  const { receiver, receiving, end } = stuck(endsAtClose);
  const closes: unknown[] = [];
  const server = {
    stats,
    isDraining: false,
    close: (options: unknown) => Promise.resolve(void closes.push(options)),
  };
  const file = { kept: { messages: 3, bytes: 300 } };
  const received = { messages: 5, bytes: 500 };
  const options = { server, receiver, receiving, file, received, log, delay, ...over };
  await settle();
  return { whole: finish(options), log, ends, end, closes };
}

describe("finish", () => {
  it("gives files time after a drain, until somebody waits for the end", async () => {
    for (const comes of [true, false]) {
      const stop = Promise.withResolvers<void>();
      const { whole, log, ends } = await run({ hurried: stop.promise }, false);
      await settle();
      assertEquals([...ends.keys()], [60_000]);
      if (comes) stop.resolve();
      else ends.get(60_000)!();
      await settle();
      ends.get(1800)!();
      await settle();
      ends.get(150)!();
      assertEquals(await whole, false);
      const after = comes ? "1.8 s" : "61.8 s";
      assertEquals(log.lines.length, 1);
      assertStringIncludes(String(log.lines[0]), `Cut off after ${after}: 4 messages (400 B)`);
    }
  });

  it("is whole after a drain however long the files took to be closed", async () => {
    const { whole, log, end, ends } = await run({ hurried: new Promise(() => {}) });
    await settle();
    end();
    assertEquals(await whole, true);
    assertEquals([ends.has(1800), log.lines], [false, []]);
  });

  it("drains for at most a second, writes out and says nothing when all is kept", async () => {
    const { whole, log, end, closes } = await run({});
    await settle();
    assertEquals(closes, [{ drainMs: 1000, quietMs: 100, backlogMs: 20_000 }]);
    end();
    assertEquals(await whole, true);
    assertEquals(log.lines, []);
  });

  it("cuts at 1.8 s and counts what came in and was not kept", async () => {
    for (const endsAtClose of [true, false]) {
      const { whole, log, ends } = await run({}, endsAtClose);
      await settle();
      assertEquals([...ends.keys()], [1800]);
      ends.get(1800)!();
      await settle();
      // A write that hangs gets a moment, not forever.
      if (!endsAtClose) ends.get(150)!();
      assertEquals(await whole, false);
      assertEquals(log.lines, [
        ["error", "Cut off after 1.8 s: 4 messages (400 B) that had come in are lost"],
      ]);
    }
  });

  it("counts what was received as kept when nothing is saved", async () => {
    const { whole, log, ends } = await run({
      file: undefined,
      received: { messages: 7, bytes: 700 },
    });
    await settle();
    ends.get(1800)!();
    assertEquals(await whole, false);
    assertEquals(log.lines, [
      [
        "error",
        "Cut off after 1.8 s, before everything was closed; no message that had come in is lost",
      ],
    ]);
  });
});
