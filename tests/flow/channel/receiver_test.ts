import { describe, it } from "node:test";
import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { ReceiverTaken } from "../../../lib/base/errors.ts";
import { Receiver } from "../../../lib/flow/channel/receiver.ts";
import { SmartChannel } from "../../../lib/flow/channel/smart_channel.ts";
import { messages } from "../messages.ts";

function setUp() {
  const channel = new SmartChannel();
  const canceled: unknown[] = [];
  const receiver = new Receiver(channel, (reason) => void canceled.push(reason));
  return { channel, receiver, canceled, sender: channel.sender({ kind: "tcp-client", id: 1 }) };
}

describe("Receiver", () => {
  it("waits for messages, and ends when the channel has ended", async () => {
    const { channel, receiver, sender } = setUp();
    const received: string[] = [];
    const loop = (async () => {
      for await (const { payload } of receiver) received.push(payload.type);
    })();
    await Promise.resolve();
    sender.send(messages(2));
    sender.quit();
    channel.close();
    await loop;
    assertEquals(received, ["msg", "msg", "quit"]);
  });

  it("takes one loop at a time; break releases it and loses nothing", async () => {
    const { channel, receiver, sender } = setUp();
    sender.send(messages(3));
    for await (const _ of receiver) {
      const error = assertThrows(() => receiver.batches(), ReceiverTaken);
      assertEquals(
        error.message,
        "Another loop is receiving: end it with break before starting the next",
      );
      break;
    }
    channel.close();
    const sizes = [];
    for await (const batch of receiver.batches()) sizes.push(batch.length);
    assertEquals(sizes, [2]);
  });

  it("is released at the end and after a throw in the loop too", async () => {
    const { receiver, sender } = setUp();
    sender.send(messages(1));
    await assertRejects(
      async () => {
        for await (const _ of receiver) throw new Error("mine");
      },
      Error,
      "mine",
    );
    receiver.batches();
  });

  it("as one stream, which errors where another receives", async () => {
    const { receiver } = setUp();
    receiver.batches();
    assert(receiver.readable() === receiver.readable());
    const refused = await receiver.readable().getReader().read().catch((error) => error);
    assertInstanceOf(refused, ReceiverTaken);
  });

  it("as a stream: receiver from its first read on, canceling it ends the server", async () => {
    const { receiver, sender, canceled } = setUp();
    const stream = receiver.readable();
    const other = receiver.batches();
    await other.return!();
    sender.send(messages(2));
    const reader = stream.getReader();
    assertEquals((await reader.read()).value?.length, 2);
    assertThrows(() => receiver.batches(), ReceiverTaken);
    assert(receiver.readable() === stream);
    await reader.cancel("enough");
    assertEquals(canceled, ["enough"]);
    receiver.batches();
  });
});
