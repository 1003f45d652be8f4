import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { CatchUpGarbage } from "../../lib/forward/_catch_up_garbage.ts";
import { Delivery } from "../../lib/forward/delivery.ts";

const MIB = 2 ** 20;

/**
 * Sends at a pace for ten seconds, where each collection takes so long; tells how many there were, and
 * how much was sent at most from one to the next.
 */
function collections(
  bytesPerSec: number,
  collectionMs: number,
  isLive = false,
): readonly [number, number] {
  let [nowMs, collected, bytes, most] = [0, 0, 0, 0];
  const garbage = new CatchUpGarbage(() => {
    collected++;
    nowMs += collectionMs;
    [bytes, most] = [0, Math.max(bytes, most)];
  }, () => nowMs);
  while (nowMs < 10_000) {
    nowMs += 10;
    bytes += bytesPerSec / 100;
    garbage.sent(bytesPerSec / 100, isLive);
  }
  return [collected, Math.max(bytes, most)];
}

describe("CatchUpGarbage", () => {
  it("collects for each 16 MiB while it catches up", () => {
    assertEquals(collections(64 * MIB, 0)[0], 40);
  });

  it("leaves what is sent as it comes to the runtime", () => {
    assertEquals(collections(3 * MIB, 0)[0], 0);
  });

  it("leaves what hundreds of robots log to the runtime, for a collection takes long there", () => {
    assertEquals(collections(10 * MIB, 0)[0], 6);
    assertEquals(collections(10 * MIB, 0, true)[0], 0);
  });

  it("collects for each 64 MiB of much that is sent as it is logged", () => {
    assertEquals(collections(64 * MIB, 0, true)[0], 10);
  });

  it("takes no more than a sixth of the time while little piles up, and than half of it", () => {
    assertEquals(collections(36 * MIB, 100)[0], 16);
    assertEquals(collections(1024 * MIB, 500)[0], 10);
  });

  it("bounds what piles up where a collection takes long", () => {
    assert(collections(72 * MIB, 300)[1] <= 33 * MIB);
    assert(collections(36 * MIB, 900)[1] <= 33 * MIB);
  });

  it("that fails is told in the log, and nothing is sent twice for it", async () => {
    const lines: string[] = [];
    const log = { enabled: () => true, write: (_: string, text: string) => void lines.push(text) };
    const collectGarbage = () => {
      throw new Error("there is no collector");
    };
    const delivery = new Delivery(
      "example",
      { log, now: () => 0, timer: () => () => {} } as never,
      {} as never,
      { collectGarbage },
    );
    let sends = 0;
    const { signal } = delivery.stopping;
    const send = () => Promise.resolve(void sends++);
    await delivery.deliver({ messages: 1, bytes: 16 * MIB }, send, signal);
    assertEquals(sends, 1);
    assertEquals(lines, ["Garbage can't be collected (collectGarbage): there is no collector"]);
    assertEquals(delivery.isWorking, true);
  });
});
