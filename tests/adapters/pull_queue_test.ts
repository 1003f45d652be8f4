import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "node:test";
import { PullQueue } from "../../lib/adapters/_pull_queue.ts";
import { joined, readBytes } from "../contract/streams.ts";

function queueWithCalls(): { queue: PullQueue; calls: string[]; wanted: Promise<void> } {
  const calls: string[] = [];
  const wanted = Promise.withResolvers<void>();
  const queue = new PullQueue({
    wanted: () => {
      calls.push("wanted");
      wanted.resolve();
    },
    emptied: () => calls.push("emptied"),
    cancelled: () => calls.push("cancelled"),
  });
  return { queue, calls, wanted: wanted.promise };
}

describe("PullQueue", () => {
  it("asks for chunks only while a reader waits for one", async () => {
    const { queue, calls, wanted } = queueWithCalls();
    const reader = queue.readable.getReader();
    queue.push(Uint8Array.of(1));
    queue.push(Uint8Array.of(2));
    assertEquals((await reader.read()).value, Uint8Array.of(1));
    assertEquals((await reader.read()).value, Uint8Array.of(2));
    assertEquals(calls, ["emptied"]);
    const read = reader.read();
    await wanted;
    assertEquals(calls, ["emptied", "wanted"]);
    queue.push(Uint8Array.of(3));
    assertEquals((await read).value, Uint8Array.of(3));
  });

  it("ends after what was pushed", async () => {
    const { queue } = queueWithCalls();
    queue.push(Uint8Array.of(1));
    queue.end();
    queue.push(Uint8Array.of(2)); // too late
    assertEquals(joined(await readBytes(queue.readable)), Uint8Array.of(1));
  });

  it("errors after what was pushed, with the first error", async () => {
    const { queue } = queueWithCalls();
    for (let i = 0; i < 5; i++) queue.push(Uint8Array.of(i));
    queue.end(new Error("first"));
    queue.end(new Error("second"));
    queue.end();
    assertEquals(joined(await readBytes(queue.readable, 5)), Uint8Array.of(0, 1, 2, 3, 4));
    await assertRejects(() => readBytes(queue.readable), Error, "first");
  });

  it("discards, even an error", async () => {
    const { queue } = queueWithCalls();
    queue.push(Uint8Array.of(1));
    queue.end(new Error("lost"));
    queue.discard();
    assertEquals(await readBytes(queue.readable), []);
  });

  it("tells the source when the reader cancels, and ends", async () => {
    const { queue, calls, wanted } = queueWithCalls();
    const reader = queue.readable.getReader();
    const read = reader.read();
    await wanted;
    await reader.cancel();
    queue.push(Uint8Array.of(1));
    assertEquals((await read).done, true);
    assertEquals(calls, ["wanted", "cancelled"]);
  });
});
