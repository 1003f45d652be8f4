/**
 * What is held for clients is in one account with two bounds: whole messages that nobody has taken, and
 * all else.
 */
import { describe, it } from "node:test";
import { setImmediate } from "node:timers";
import { assert, assertEquals } from "@std/assert";
import { compressLz4 } from "../lib/encoding/lz4/lz4_deflate.ts";
import { memoryTcp, type ServeOptions, Server, silentLog } from "../mod.ts";
import {
  arrowMsg,
  concat,
  Entries,
  framed,
  HELLO,
  rrdHeader,
  rrdMessage,
} from "./encoding/rrd_builder.ts";
import { fixture } from "./fixtures.ts";
import { seeded } from "./random.ts";

const KiB = 1024;
const CAPTURE = fixture("captures/0.22.1-mixed.bin");
const MESSAGES = 34;

const turn = () => new Promise((resolve) => setImmediate(resolve));

const arrow = (data: number) => rrdMessage(arrowMsg(new Entries([]), { data }));
const packetOf = (...messages: Uint8Array[]) => framed(concat(rrdHeader(), ...messages));

/** A server in memory, and the largest that each part of its account was while anybody looked. */
async function start(options: ServeOptions) {
  const net = memoryTcp();
  const server = await Server.listen(net, { port: 9876, log: silentLog, ...options });
  const most = { queued: 0, alone: 0, unfinished: 0 };
  const look = () => {
    const { queued, unfinishedBytes } = server.stats;
    const part = queued.messages === 1 ? "alone" : "queued";
    most[part] = Math.max(most[part], queued.bytes);
    most.unfinished = Math.max(most.unfinished, unfinishedBytes);
  };
  return {
    server,
    most,
    look,
    /** Sends all at once, and leaves. */
    send(...parts: Uint8Array[]) {
      const writer = net.connect(9876).writable.getWriter();
      const writes = parts.map((part) => writer.write(part));
      return Promise.allSettled([...writes, writer.close()]);
    },
    connect: () => net.connect(9876).writable.getWriter(),
    /** Takes one message after the other, slowly, until so many clients have left. */
    async takeUntilLeft(clients: number) {
      let messages = 0;
      for await (const { payload } of server) {
        look();
        if (payload.type === "msg") messages++;
        else if (--clients === 0) break;
        await turn();
        look();
      }
      return messages;
    },
  };
}

describe("whole messages that nobody has taken", () => {
  const clients = 60;
  const limit = 600 * KiB;

  for (const reuseBuffers of [false, true]) {
    it(
      `stay within the limit of the channel beside a slow receiver, memory ${
        reuseBuffers ? "used again" : "new"
      }`,
      async () => {
        const { server, send, takeUntilLeft, look, most } = await start({
          channelLimitBytes: limit,
          reuseBuffers,
        });
        const sent = Array.from({ length: clients }, () => send(CAPTURE));
        for (let i = 0; i < 50; i++) {
          await turn();
          look();
        }
        assert(most.queued > limit / 2, `only ${most.queued}`);
        assertEquals(await takeUntilLeft(clients), clients * MESSAGES);
        assert(most.queued <= limit, `${most.queued}`);
        await Promise.all(sent);
        assertEquals(server.stats.queued.bytes, 0);
        await server.close();
      },
    );
  }

  it("stay within it where they are tiny: their objects count", async () => {
    const { server, send, takeUntilLeft, most } = await start({ channelLimitBytes: limit });
    const tiny = Array.from({ length: 600 }, () => packetOf(arrow(1)));
    for (let i = 0; i < 5; i++) send(concat(HELLO, ...tiny));
    assertEquals(await takeUntilLeft(5), 3000);
    assert(most.queued > limit / 2 && most.queued <= limit, `${most.queued}`);
    await server.close();
  });

  it("stay within it where they are inflated to many times their size", async () => {
    const { server, send, takeUntilLeft, look, most } = await start({ channelLimitBytes: limit });
    const payload = arrowMsg(new Entries([]), { data: 100 * KiB });
    const block = compressLz4(payload);
    const lengths = new Uint8Array(8);
    new DataView(lengths.buffer).setUint32(0, block.length, true);
    new DataView(lengths.buffer).setUint32(4, payload.length, true);
    const packet = framed(concat(rrdHeader({ compression: 1 }), lengths, block));
    assert(packet.length < 2 * KiB);
    for (let i = 0; i < 20; i++) send(concat(HELLO, ...Array(10).fill(packet)));
    for (let i = 0; i < 50; i++) {
      await turn();
      look();
    }
    assertEquals(await takeUntilLeft(20), 200);
    assert(most.queued > limit / 2 && most.queued <= limit, `${most.queued}`);
    await server.close();
  });

  it("a larger message is let in alone", async () => {
    const { server, send, takeUntilLeft, most } = await start({ channelLimitBytes: limit });
    for (let i = 0; i < 4; i++) send(HELLO, packetOf(arrow(2 * limit)), packetOf(arrow(10)));
    assertEquals(await takeUntilLeft(4), 8);
    assert(most.queued <= limit && most.alone > 2 * limit, JSON.stringify(most));
    assert(most.alone < 3 * limit, JSON.stringify(most));
    await server.close();
  });

  it("stay within it though frames are dropped: what never is has to wait", async () => {
    const { server, send, takeUntilLeft, look, most } = await start({
      channelLimitBytes: limit,
      maxLatencySec: 1000,
    });
    for (let i = 0; i < clients; i++) send(HELLO, ...Array(20).fill(packetOf(arrow(5000))));
    for (let i = 0; i < 50; i++) {
      await turn();
      look();
    }
    assertEquals(await takeUntilLeft(clients), clients * 20);
    assert(most.queued > limit / 2 && most.queued <= limit, `${most.queued}`);
    await server.close();
  });
});

describe("all else that is held for clients", () => {
  it("stays within its limit, and is none once all have left", async () => {
    const maxUnfinishedBytes = 3_000_000;
    const { server, connect, look, most } = await start({ maxUnfinishedBytes });
    const random = seeded(3);
    const half = framed(new Uint8Array(2_000_000));
    const writers = Array.from({ length: 40 }, () => connect());
    await Promise.all(writers.map((writer) => writer.write(HELLO)));
    for (let at = 0; at < 1_000_000;) {
      const piece = 1 + Math.floor(random() * 90_000);
      for (const writer of writers) writer.write(half.slice(at, at + piece)).catch(() => {});
      await turn();
      look();
      at += piece;
    }
    assert(most.unfinished > maxUnfinishedBytes / 2, `only ${most.unfinished}`);
    assert(most.unfinished <= maxUnfinishedBytes, `${most.unfinished}`);
    await server.close();
    assertEquals(server.stats.unfinishedBytes, 0);
  });

  it("counts what was read and waits for room, and takes nobody's messages for it", async () => {
    const clients = 200;
    const maxUnfinishedBytes = 4_000_000;
    const { server, send, takeUntilLeft, look, most } = await start({
      channelLimitBytes: 300 * KiB,
      maxUnfinishedBytes,
    });
    const packets = Array.from({ length: 10 }, () => packetOf(arrow(20_000)));
    for (let i = 0; i < clients; i++) send(concat(HELLO, ...packets));
    for (let i = 0; i < 50; i++) {
      await turn();
      look();
    }
    // A quarter of the limit, and the one read that was more.
    assert(most.unfinished > maxUnfinishedBytes / 8, `only ${most.unfinished}`);
    assert(most.unfinished <= maxUnfinishedBytes, `${most.unfinished}`);
    assertEquals(await takeUntilLeft(clients), clients * 10);
    assert(most.queued <= 300 * KiB, `${most.queued}`);
    assertEquals(server.stats.unfinishedBytes, 0);
    await server.close();
  });
});
