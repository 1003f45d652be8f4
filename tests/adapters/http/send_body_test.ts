import { assertEquals, assertLess } from "@std/assert";
import { Writable } from "node:stream";
import { describe, it } from "node:test";
import { sendBody } from "../../../lib/adapters/http/_node_messages.ts";
import { mostReactions } from "../../reactions.ts";

const WRITES = 100;

/** A body of so many pieces. */
function body(pieces: number): ReadableStream<Uint8Array> {
  let left = pieces;
  return new ReadableStream({
    pull: (controller) => left-- > 0 ? controller.enqueue(new Uint8Array(64)) : controller.close(),
  });
}

describe("sendBody", () => {
  it("leaves nothing behind for each write that a slow peer makes wait", async () => {
    let written = 0;
    const outgoing = new Writable({
      highWaterMark: 1,
      write(chunk: Uint8Array, _encoding, done) {
        written += chunk.length;
        setTimeout(done, 0);
      },
    });
    assertLess(await mostReactions(() => sendBody(body(WRITES), outgoing)), 10);
    assertEquals(written, 64 * WRITES);
  });

  it("ends where the peer leaves while a write waits", async () => {
    const outgoing = new Writable({ highWaterMark: 1, write: () => {} });
    let isCancelled = false;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(64)),
      cancel: () => void (isCancelled = true),
    });
    setTimeout(() => outgoing.destroy(), 10);
    await sendBody(endless, outgoing);
    assertEquals(isCancelled, true);
  });

  it("cuts a peer whose body errors while a write waits", async () => {
    const outgoing = new Writable({ highWaterMark: 1, write: () => {} });
    const given = Promise.withResolvers<ReadableStreamDefaultController<Uint8Array>>();
    const sending = sendBody(new ReadableStream({ start: given.resolve }), outgoing);
    const controller = await given.promise;
    controller.enqueue(new Uint8Array(64));
    while (outgoing.writableLength === 0) await Promise.resolve();
    controller.error(new Error("it took nothing for too long"));
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, 2000); // it would wait for ever
    await Promise.race([sending, late.promise]);
    clearTimeout(timer);
    assertEquals(outgoing.destroyed, true);
  });
});
