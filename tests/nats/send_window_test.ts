import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { SendWindow } from "../../lib/nats/send_window.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const never = new AbortController().signal;
const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

/**
 * Sends bytes over a link, of eight recordings at a time, each as much at once as the window says; tells
 * the slowest answer, all of the time, in ms, and how much was under way at most.
 */
async function over(bytesPerMs: number, bytes: number, mostBytes = 32 * MIB) {
  let now = 0;
  let underWay: { readonly at: number; readonly bytes: number; readonly answer: () => void }[] = [];
  const window = new SendWindow(mostBytes, () => now);
  let [free, slowest, left, writers, most] = [0, 0, bytes, 8, 0];
  const write = async () => {
    while (left > 0) {
      const sending = Math.min(left, 512 * KIB, window.sendBytes);
      left -= sending;
      await window.through(sending, never, async () => {
        const sent = now;
        free = Math.max(free, now) + sending / bytesPerMs;
        const { promise, resolve } = Promise.withResolvers<void>();
        underWay.push({ at: free, bytes: sending, answer: resolve });
        most = Math.max(most, underWay.reduce((sum, one) => sum + one.bytes, 0));
        await promise;
        slowest = Math.max(slowest, now - sent);
      });
    }
    writers--;
  };
  for (let i = writers; i > 0; i--) void write();
  for (;;) {
    await settle();
    if (writers === 0) break;
    const [next, ...others] = underWay;
    underWay = others;
    now = next!.at;
    next!.answer();
  }
  return { slowest, ms: now, most, limitBytes: window.limitBytes };
}

describe("SendWindow", () => {
  it("keeps a thin link full, and no answer waiting for so long that it counts as missing", async () => {
    for (const bytesPerMs of [15, 20, 50, 100, 400, 1000]) {
      const { slowest, ms } = await over(bytesPerMs, 4 * MIB);
      assertEquals(Math.round(ms), Math.round(4 * MIB / bytesPerMs));
      assert(slowest < 9000, `${bytesPerMs}: ${slowest} ms`);
    }
  });

  it("opens on a good link to what it may have, and goes no further", async () => {
    const { most, limitBytes } = await over(100_000, 300 * MIB, 2 * MIB);
    assertEquals([most, limitBytes], [2 * MIB, 2 * MIB]);
    assertEquals((await over(100_000, MIB, 48 * KIB)).most, 32 * KIB);
  });

  it("gives whole bytes, so that all parts of a message but the last are of one length", async () => {
    let now = 0;
    const window = new SendWindow(32 * MIB, () => now);
    const send = (ms: number) =>
      window.through(99_999, never, () => Promise.resolve(void (now += ms)));
    for (const ms of [10, 4000, 10, 4000, 4000]) {
      await send(ms);
      assert(Number.isInteger(window.sendBytes), `${window.sendBytes} bytes`);
    }
  });

  it("is made no wider by quick refusals, as of a server without its streams", async () => {
    const window = new SendWindow(32 * MIB, () => 0);
    for (let i = 0; i < 100; i++) {
      const sending = window.through(MIB, never, () => Promise.reject(new Error("no responders")));
      await sending.catch(() => {});
    }
    assertEquals(window.limitBytes, 128 * KIB);
    await window.through(MIB, never, () => Promise.resolve());
    assertEquals(window.limitBytes, 128 * KIB + MIB);
  });

  it("is made no wider by answers to questions", async () => {
    const window = new SendWindow(32 * MIB, () => 0);
    for (let i = 0; i < 100; i++) await window.asking(never, () => Promise.resolve());
    assertEquals(window.limitBytes, 128 * KIB);
  });

  it("stays as it is when sends are given up", async () => {
    const window = new SendWindow(32 * MIB, () => 0);
    const ending = new AbortController();
    const sending = window.through(MIB, ending.signal, () => {
      ending.abort(new Error("the end"));
      return Promise.reject(ending.signal.reason);
    });
    await sending.catch(() => {});
    assertEquals(window.limitBytes, 128 * KIB);
  });
});
