import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { MESSAGE_OVERHEAD_BYTES } from "../../../lib/flow/channel/pinned_bytes.ts";
import type { ChannelSender } from "../../../lib/flow/channel/channel_sender.ts";
import { SmartChannel } from "../../../lib/flow/channel/smart_channel.ts";
import type { SmartMessage } from "../../../lib/flow/channel/smart_message.ts";
import { messages } from "../messages.ts";

type Three = [ChannelSender, ChannelSender, ChannelSender];

const client = (id: number) => ({ kind: "tcp-client", id }) as const;

/** Whether a promise is resolved once all that can run has run. */
async function settled(promise: Promise<unknown> | undefined): Promise<boolean> {
  let done = promise === undefined;
  promise?.then(() => done = true);
  await new Promise((resolve) => setTimeout(resolve, 0));
  return done;
}

const ids = (batch: SmartMessage[] | undefined) => batch?.map(({ source }) => source.id);
const types = (batch: SmartMessage[] | undefined) => batch?.map(({ payload }) => payload.type);

describe("SmartChannel, what is received", () => {
  it("gives each message with its source and send time, and the quit after them", () => {
    let now = 1000;
    const channel = new SmartChannel({ now: () => now });
    const sender = channel.sender(client(7));
    const [a, b] = messages(2);
    sender.send([a!]);
    now = 1005;
    sender.send([b!]);
    const error = new Error("gone");
    sender.quit(error);
    assertEquals(channel.length, 3);
    assertEquals(channel.take(), [
      { source: client(7), payload: { type: "msg", msg: a! }, time: 1000 },
      { source: client(7), payload: { type: "msg", msg: b! }, time: 1005 },
      { source: client(7), payload: { type: "quit", error }, time: 1005 },
    ]);
    assertEquals([channel.length, channel.bytes, channel.take()], [0, 0, undefined]);
  });

  it("a graceful leave has no error", () => {
    const channel = new SmartChannel();
    channel.sender(client(1)).quit();
    const [message] = channel.take()!;
    assertEquals(message!.payload, { type: "quit" });
  });

  it("one by one the same as in batches", () => {
    const channel = new SmartChannel();
    const sender = channel.sender(client(1));
    sender.send(messages(3));
    sender.quit();
    const one = [channel.take(1), channel.take(1), channel.take(1), channel.take(1)];
    assertEquals(one.map(types), [["msg"], ["msg"], ["msg"], ["quit"]]);
    assertEquals([channel.take(1), channel.length, channel.bytes], [undefined, 0, 0]);
  });

  it("serves clients in turn, 256 KiB each", () => {
    const channel = new SmartChannel();
    const [flood, quiet] = [channel.sender(client(1)), channel.sender(client(2))];
    for (let i = 0; i < 20; i++) flood.send(messages(1, 100 << 10));
    quiet.send(messages(1));
    assertEquals(ids(channel.take()), [1, 1, 1]);
    assertEquals(ids(channel.take()), [2]);
    assertEquals(ids(channel.take()), [1, 1, 1]);
  });

  it("serves one by one as fairly", () => {
    const channel = new SmartChannel();
    const [flood, quiet] = [channel.sender(client(1)), channel.sender(client(2))];
    for (let i = 0; i < 20; i++) flood.send(messages(1, 100 << 10));
    quiet.send(messages(1));
    const order = Array.from({ length: 5 }, () => ids(channel.take(1))![0]);
    assertEquals(order, [1, 1, 1, 2, 1]);
  });
});

describe("SmartChannel, latency", () => {
  it("is the age of the oldest waiting message, and 0 once none waits", () => {
    let now = 0;
    const channel = new SmartChannel({ now: () => now });
    const [a, b] = [channel.sender(client(1)), channel.sender(client(2))];
    a.send(messages(1));
    now = 500;
    b.send(messages(1));
    now = 2000;
    assertEquals([a.latencySec, b.latencySec, channel.latencySec], [2, 1.5, 2]);
    channel.take();
    assertEquals([a.latencySec, channel.latencySec], [0, 1.5]);
    channel.take();
    assertEquals(channel.latencySec, 0);
  });

  it("of the last message received counts while another waits", () => {
    let now = 0;
    const channel = new SmartChannel({ now: () => now });
    const sender = channel.sender(client(1));
    sender.send(messages(1));
    now = 3000;
    sender.send(messages(1));
    channel.take(1);
    assertEquals(sender.latencySec, 3);
    now = 3500;
    assertEquals(sender.latencySec, 3);
    now = 7000;
    assertEquals(sender.latencySec, 4);
    channel.take(1);
    assertEquals(sender.latencySec, 0);
  });
});

describe("SmartChannel, memory", () => {
  it("counts what messages keep alive: each buffer once, and the objects", () => {
    const channel = new SmartChannel();
    const sender = channel.sender(client(1));
    const msgs = messages(4, 1000);
    const pinned = msgs[0]!.encoded.bytes.buffer.byteLength;
    sender.send(msgs.slice(0, 3));
    assertEquals(channel.bytes, pinned + 3 * MESSAGE_OVERHEAD_BYTES);
    // The same buffer again is not counted again; but a batch that uses little of it is copied out.
    sender.send(msgs.slice(1));
    assertEquals(channel.bytes, pinned + 6 * MESSAGE_OVERHEAD_BYTES);
    sender.send(msgs.slice(3));
    const own = msgs[3]!.encoded.bytes.length;
    assertEquals(channel.bytes, pinned + own + 7 * MESSAGE_OVERHEAD_BYTES);
    channel.take();
    assertEquals(channel.bytes, 0);
  });

  it("copies messages out of buffers that they use less than half of", () => {
    const channel = new SmartChannel();
    const sender = channel.sender(client(1));
    const [msg] = messages(100, 1000);
    sender.send([msg!]);
    const [received] = channel.take()!;
    if (received!.payload.type !== "msg") throw received;
    const copy = received!.payload.msg;
    assertEquals(copy, msg!);
    assertEquals(copy.encoded.bytes.buffer.byteLength, msg!.encoded.bytes.length);
    if (copy.kind !== "ArrowMsg" || msg!.kind !== "ArrowMsg") throw copy;
    assertEquals(copy.arrow.bytes, msg!.arrow.bytes);
    assert(copy.arrow.bytes.buffer === copy.encoded.bytes.buffer);
  });

  it("pauses a client alone near the limit, and lets it go on when half is free again", async () => {
    const channel = new SmartChannel({ limitBytes: 1 << 20 });
    const sender = channel.sender(client(1));
    let room: Promise<void> | undefined;
    while (room === undefined) room = sender.send(messages(1, 10_000));
    assert(channel.bytes > 0.85 * (1 << 20) && channel.bytes < 1 << 20, `${channel.bytes}`);
    assertEquals(sender.filled, 1);
    assertEquals(await settled(room), false);
    while (!(await settled(room))) channel.take(1);
    assert(channel.bytes > 0.7 * (1 << 20) && channel.bytes < 0.85 * (1 << 20), `${channel.bytes}`);
  });

  it("a flood leaves room for others: a quiet client is not paused", () => {
    const channel = new SmartChannel({ limitBytes: 1 << 20 });
    const flood = channel.sender(client(1));
    while (flood.send(messages(1, 10_000)) === undefined);
    for (let id = 2; id < 50; id++) {
      assertEquals(channel.sender(client(id)).send(messages(1, 100)), undefined);
    }
  });

  it("stays within the limit and a batch a client, however many clients flood it", () => {
    const limitBytes = 1 << 20;
    const batch = 2 * 11_500;
    for (const clients of [1, 2, 5, 20]) {
      const channel = new SmartChannel({ limitBytes });
      const senders = Array.from({ length: clients }, (_, id) => channel.sender(client(id)));
      const going = new Set(senders);
      while (going.size > 0) {
        for (const sender of going) if (sender.send(messages(2, 10_000))) going.delete(sender);
      }
      assert(channel.bytes <= limitBytes + clients * batch, `${clients}: ${channel.bytes}`);
    }
  });

  it("pauses a client whose messages wait for too long, until they are taken", async () => {
    let now = 0;
    const delay = () => new Promise<void>(() => {});
    const channel = new SmartChannel({ maxWaitMs: 100, now: () => now, delay });
    const [slow, other] = [channel.sender(client(1)), channel.sender(client(2))];
    assertEquals(slow.send(messages(1)), undefined);
    now = 100;
    assertEquals(slow.send(messages(1)), undefined);
    now = 101;
    const room = slow.send(messages(1));
    assertEquals(other.send(messages(1)), undefined);
    assertEquals(await settled(room), false);
    channel.take(1);
    assertEquals(await settled(room), true);
    now = 300;
    assertEquals(await settled(slow.send(messages(1))), false);
  });

  it("lets those that waited for too long go on once it closes", async () => {
    let now = 0;
    const delay = () => new Promise<void>(() => {});
    const channel = new SmartChannel({ maxWaitMs: 100, now: () => now, delay });
    const sender = channel.sender(client(1));
    sender.send(messages(1));
    now = 101;
    const room = sender.send(messages(1));
    assertEquals(await settled(room), false);
    channel.unpause();
    assertEquals(await settled(room), true);
    assertEquals(sender.send(messages(1)), undefined);
  });

  it("pauses nobody for that where frames are to be dropped", () => {
    let now = 0;
    const channel = new SmartChannel({ maxWaitMs: 100, now: () => now });
    const sender = channel.sender(client(1));
    sender.send(messages(1));
    now = 1000;
    assertEquals(sender.send(messages(1)), undefined);
  });

  it("says how much room there is, and gives it to those that wait in turn", async () => {
    const limitBytes = 100_000;
    const channel = new SmartChannel({ limitBytes });
    const [a, b, c] = [1, 2, 3].map((id) => channel.sender(client(id))) as Three;
    assertEquals([a.free, a.isEmpty], [limitBytes, true]);
    a.send(messages(1, 60_000));
    assertEquals([a.free, b.free, b.isEmpty], [
      limitBytes - channel.bytes,
      limitBytes - channel.bytes,
      false,
    ]);
    const large = b.waitForRoom(90_000);
    // It would fit, but comes later.
    const small = c.waitForRoom(10);
    assertEquals([a.free, b.free, c.free], [0, 0, 0]);
    assertEquals([await settled(large), await settled(small)], [false, false]);
    channel.take();
    assertEquals([await settled(large), await settled(small)], [true, true]);
    // Both have it for themselves until they send, or want no more.
    assertEquals([a.free, b.free, c.free], [limitBytes - 90_010, limitBytes - 10, 10_000]);
    b.releaseRoom();
    c.send(messages(1));
    assertEquals(a.free, limitBytes - channel.bytes);
  });

  it("has room for what is larger than itself where nothing else waits", async () => {
    const channel = new SmartChannel({ limitBytes: 1000 });
    const [a, b] = [channel.sender(client(1)), channel.sender(client(2))];
    assertEquals(await settled(a.waitForRoom(5000)), true);
    assertEquals([a.isEmpty, b.isEmpty, b.free], [true, false, 1000 - 5000]);
    a.send(messages(1, 5000));
    const room = b.waitForRoom(1);
    assertEquals(await settled(room), false);
    channel.take();
    assertEquals(await settled(room), true);
  });

  it("has room for all once it closes", async () => {
    const channel = new SmartChannel({ limitBytes: 1000 });
    const [a, b] = [channel.sender(client(1)), channel.sender(client(2))];
    a.send(messages(1, 5000));
    const room = b.waitForRoom(5000);
    channel.unpause();
    assertEquals(await settled(room), true);
    assertEquals([b.free, b.isEmpty], [Infinity, true]);
  });

  it("keeps quits back from nobody", () => {
    const channel = new SmartChannel({ limitBytes: 1 });
    const sender = channel.sender(client(1));
    sender.send(messages(1));
    sender.quit();
    assertEquals(types(channel.take()), ["msg", "quit"]);
  });

  it("lets everybody go on once it closes", async () => {
    const channel = new SmartChannel({ limitBytes: 1 });
    const sender = channel.sender(client(1));
    const room = sender.send(messages(1));
    assertEquals(await settled(room), false);
    channel.unpause();
    assertEquals(await settled(room), true);
    assertEquals(await settled(sender.send(messages(1))), true);
  });
});

describe("SmartChannel, flush and end", () => {
  it("flush resolves when all before it was received, from every client", async () => {
    const channel = new SmartChannel();
    assertEquals(await settled(channel.flush()), true);
    const [a, b] = [channel.sender(client(1)), channel.sender(client(2))];
    a.send(messages(2));
    b.send(messages(1));
    const flushed = channel.flush();
    a.send(messages(1));
    channel.take(1);
    assertEquals(await settled(flushed), false);
    channel.take(1);
    assertEquals(await settled(flushed), false);
    while (channel.length > 1) channel.take(1);
    assertEquals(await settled(flushed), channel.take(1)?.[0]?.source.id === 1);
    assertEquals(await settled(channel.flush()), true);
  });

  it("what waits can be received after the close, then it has ended", async () => {
    const channel = new SmartChannel();
    channel.sender(client(1)).send(messages(1));
    channel.close();
    assertEquals(channel.ended, false);
    channel.take();
    assertEquals(channel.ended, true);
    assertEquals(await settled(channel.ready()), true);
  });

  it("discard says how much was lost", () => {
    const channel = new SmartChannel();
    const sender = channel.sender(client(1));
    const msgs = messages(3);
    sender.send(msgs);
    sender.quit();
    const bytes = 3 * msgs[0]!.encoded.bytes.length;
    assertEquals(channel.discard(), { messages: 3, bytes });
    assertEquals([channel.length, channel.bytes], [0, 0]);
  });
});
