import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { SendWindow } from "../../lib/nats/send_window.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const never = new AbortController().signal;
const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

/** Sends so many batches of 512 KiB over a link, and tells the slowest answer and all of the time, in ms. */
async function over(bytesPerMs: number, batches: number, mostBytes = 32 * MIB) {
  let now = 0;
  let underWay: { readonly at: number; readonly answer: () => void }[] = [];
  const window = new SendWindow(mostBytes, () => now);
  let [free, slowest, left, most] = [0, 0, batches, 0];
  for (let i = 0; i < batches; i++) {
    void window.through(512 * KIB, never, async () => {
      const sent = now;
      free = Math.max(free, now) + 512 * KIB / bytesPerMs;
      const { promise, resolve } = Promise.withResolvers<void>();
      underWay.push({ at: free, answer: resolve });
      most = Math.max(most, underWay.length);
      await promise;
      slowest = Math.max(slowest, now - sent);
      left--;
    });
  }
  for (;;) {
    await settle();
    if (left === 0) break;
    const [next, ...others] = underWay;
    underWay = others;
    now = next!.at;
    next!.answer();
  }
  return { slowest, ms: now, most, limitBytes: window.limitBytes };
}

describe("SendWindow", () => {
  it("keeps a thin link full, and no answer waiting for longer than it must", async () => {
    for (const bytesPerMs of [60, 100, 400, 1000]) {
      const { slowest, ms } = await over(bytesPerMs, 40);
      assertEquals(Math.round(ms), Math.round(40 * 512 * KIB / bytesPerMs));
      assert(
        slowest < Math.max(5000, 2.5 * 512 * KIB / bytesPerMs),
        `${bytesPerMs}: ${slowest} ms`,
      );
    }
  });

  it("opens on a good link to what it may have, and goes no further", async () => {
    const { most, limitBytes } = await over(100_000, 300);
    assertEquals([most, limitBytes], [64, 32 * MIB]);
    assertEquals((await over(100_000, 20, 700 * KIB)).most, 1);
  });

  it("is made no wider by quick refusals, as of a server without its streams", async () => {
    const window = new SendWindow(32 * MIB, () => 0);
    for (let i = 0; i < 100; i++) {
      const sending = window.through(MIB, never, () => Promise.reject(new Error("no responders")));
      await sending.catch(() => {});
    }
    assertEquals(window.limitBytes, MIB);
    await window.through(MIB, never, () => Promise.resolve());
    assertEquals(window.limitBytes, 2 * MIB);
  });

  it("stays as it is when sends are given up", async () => {
    const window = new SendWindow(32 * MIB, () => 0);
    const ending = new AbortController();
    const sending = window.through(MIB, ending.signal, () => {
      ending.abort(new Error("the end"));
      return Promise.reject(ending.signal.reason);
    });
    await sending.catch(() => {});
    assertEquals(window.limitBytes, MIB);
  });
});
