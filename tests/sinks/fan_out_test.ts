import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import type { SmartMessage } from "../../lib/flow/channel/smart_message.ts";
import { fanOut } from "../../lib/sinks/fan_out.ts";
import type { Sink } from "../../lib/sinks/sink.ts";
import { keptLog, msgpackMessage, QUIT } from "./messages.ts";

type Batch = readonly SmartMessage[];

function recorder(name: string, write: (batch: Batch, n: number) => Promise<void> | void) {
  const got: Batch[] = [];
  const sink: Sink & { got: Batch[]; closed: number } = {
    name,
    got,
    closed: 0,
    write(batch) {
      got.push(batch);
      return write(batch, got.length);
    },
    close() {
      sink.closed++;
      return Promise.resolve();
    },
  };
  return sink;
}

/** Batches that say how far they were taken, and whether their taking was ended. */
function source(batches: Batch[]) {
  const state = { taken: 0, ended: false };
  async function* iterate() {
    try {
      for (const batch of batches) {
        state.taken++;
        yield await Promise.resolve(batch);
      }
    } finally {
      state.ended = true;
    }
  }
  return { state, batches: iterate() };
}

/** Lets everything that can happen without outside help happen. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

const batch = (...sizes: number[]) => [...sizes.map((size) => msgpackMessage(size)), QUIT];

describe("fanOut", () => {
  it("hands every batch to every sink, in order", async () => {
    const sinks = [recorder("holding", async () => {}), recorder("shedding", () => {})];
    const all = [batch(1), batch(2, 3), batch()];
    const receiver = fanOut(sinks);
    await receiver.receive(source(all).batches);
    await receiver.close();
    for (const sink of sinks) assertEquals([sink.got, sink.closed], [all, 1]);
    assertEquals(receiver.stats.map((stats) => stats.failed), [false, false]);
  });

  it("takes the next batch when all holding sinks are done, not before", async () => {
    const waits: (() => void)[] = [];
    const hold = () => new Promise<void>((resolve) => waits.push(resolve));
    const shedding = recorder("shedding", () => {});
    const { state, batches } = source([batch(1), batch(2)]);
    const receiving = fanOut([recorder("a", hold), shedding, recorder("b", hold)]).receive(batches);
    await settle();
    waits[0]!();
    await settle();
    assertEquals([state.taken, shedding.got.length], [1, 1]);
    waits[1]!();
    await settle();
    assertEquals([state.taken, shedding.got.length], [2, 2]);
    for (const done of waits) done();
    await receiving;
  });

  for (const how of ["rejects", "throws"] as const) {
    it(`goes on when a sink ${how}, reports where it begins and ends, and counts`, async () => {
      const log = keptLog();
      const bad = recorder("bad", (_, n) => {
        if (n < 2 || n > 3) return how === "rejects" ? Promise.resolve() : undefined;
        const error = new Error("out of\norder");
        if (how === "throws") throw error;
        return Promise.reject(error);
      });
      const good = recorder("good", () => Promise.resolve());
      const receiver = fanOut([bad, good], { log });
      await receiver.receive(source([batch(1), batch(10, 20), batch(30), batch(4)]).batches);
      await receiver.close();
      assertEquals([bad.got.length, good.got.length, bad.closed, good.closed], [4, 4, 1, 1]);
      const lost = { messages: 3, bytes: 60 + 3 * 8 };
      assertEquals(receiver.stats, [
        { name: "bad", lost, failed: true },
        { name: "good", lost: { messages: 0, bytes: 0 }, failed: false },
      ]);
      assertEquals(log.lines, [
        ["error", "bad failed and lost 2 messages (46 bytes): out of order"],
        ["warn", "bad works again, having lost 3 messages (84 bytes)"],
        ["error", "bad lost 3 messages (84 bytes)"],
      ]);
    });
  }

  it("believes a sink that counts its losses itself", async () => {
    const lost = { messages: 0, bytes: 0 };
    const sink: Sink = {
      name: "file",
      lost,
      write: () => void lost.messages++,
      close: () => Promise.resolve(),
    };
    const receiver = fanOut([sink]);
    await receiver.receive(source([batch(1), batch(2)]).batches);
    assertEquals(receiver.stats, [{ name: "file", lost: { messages: 2, bytes: 0 }, failed: true }]);
  });

  it("closes every sink though one fails to close, and says so", async () => {
    const log = keptLog();
    const bad: Sink = {
      name: "bad",
      write: () => {},
      close: () => Promise.reject(new Error("EIO")),
    };
    const good = recorder("good", () => {});
    const receiver = fanOut([bad, good], { log });
    await Promise.all([receiver.close(), receiver.close()]);
    assertEquals(good.closed, 1);
    assertEquals(receiver.stats[0]!.failed, true);
    assertEquals(log.lines, [["error", "bad was not closed cleanly: EIO"]]);
  });

  it("closed while it receives, cuts the write, takes no more and releases the receiver", async () => {
    let cut = () => {};
    const slow = recorder("slow", () => new Promise<void>((resolve) => cut = resolve));
    const sink: Sink = { ...slow, close: () => Promise.resolve(cut()) };
    const { state, batches } = source([batch(1), batch(2), batch(3)]);
    const receiver = fanOut([sink]);
    const receiving = receiver.receive(batches);
    await settle();
    await receiver.close();
    await receiving;
    assertEquals(state, { taken: 1, ended: true });
    await receiver.receive(source([batch(4)]).batches);
    assertEquals(slow.got.length, 1);
  });
});
