import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "node:test";
import { PullQueue } from "../../../lib/adapters/tcp/_pull_queue.ts";

function queueWithCalls(): { queue: PullQueue; calls: string[] } {
  const calls: string[] = [];
  const queue = new PullQueue({
    wanted: () => calls.push("wanted"),
    emptied: () => calls.push("emptied"),
  });
  return { queue, calls };
}

/** The first bytes of so many chunks; nothing where the queue has ended. */
async function read(queue: PullQueue, times: number): Promise<(number | undefined)[]> {
  const bytes: (number | undefined)[] = [];
  for (let i = 0; i < times; i++) bytes.push((await queue.read())?.[0]);
  return bytes;
}

describe("PullQueue", () => {
  it("asks for chunks only while a reader waits for one", async () => {
    const { queue, calls } = queueWithCalls();
    queue.push(Uint8Array.of(1));
    queue.push(Uint8Array.of(2));
    assertEquals(await read(queue, 2), [1, 2]);
    assertEquals(calls, ["emptied"]);
    const reading = queue.read();
    assertEquals(calls, ["emptied", "wanted"]);
    queue.push(Uint8Array.of(3));
    assertEquals(calls, ["emptied", "wanted", "emptied"]);
    assertEquals(await reading, Uint8Array.of(3));
  });

  it("takes a chunk that comes while it asks", async () => {
    const queue: PullQueue = new PullQueue({ wanted: () => queue.push(Uint8Array.of(1)) });
    assertEquals(await read(queue, 2), [1, 1]);
  });

  it("ends after what was pushed", async () => {
    const { queue } = queueWithCalls();
    queue.push(Uint8Array.of(1));
    queue.end();
    queue.push(Uint8Array.of(2)); // too late
    assertEquals(await read(queue, 3), [1, undefined, undefined]);
  });

  it("errors after what was pushed, with the first error", async () => {
    const { queue } = queueWithCalls();
    for (let i = 0; i < 5; i++) queue.push(Uint8Array.of(i));
    queue.end(new Error("first"));
    queue.end(new Error("second"));
    queue.end();
    assertEquals(await read(queue, 5), [0, 1, 2, 3, 4]);
    await assertRejects(() => queue.read(), Error, "first");
  });

  it("tells a waiting reader of the end, and of an error", async () => {
    const { queue: ended } = queueWithCalls();
    const end = ended.read();
    ended.end();
    assertEquals(await end, undefined);
    const { queue: broken } = queueWithCalls();
    const failure = broken.read();
    broken.end(new Error("broken"));
    await assertRejects(() => failure, Error, "broken");
  });

  it("discards, even an error", async () => {
    const { queue } = queueWithCalls();
    queue.push(Uint8Array.of(1));
    queue.end(new Error("lost"));
    queue.discard();
    assertEquals(await read(queue, 1), [undefined]);
  });
});
