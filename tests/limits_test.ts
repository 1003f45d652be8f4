import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { PIECE_BYTES, PIECES } from "../lib/memory/piece_slabs.ts";
import { memoryTcp, type ServeOptions, Server, type SmartMessage } from "../mod.ts";
import {
  concat,
  framed,
  HELLO,
  rrdHeader,
  rrdMessage,
  setStoreInfo,
} from "./encoding/rrd_builder.ts";

const GOOD = framed(concat(rrdHeader(), rrdMessage(setStoreInfo())));

/** Lets all that can run run. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 2));

/** A server in memory whose clock only the test moves. */
async function start(options: ServeOptions = {}) {
  const net = memoryTcp();
  const lines: string[] = [];
  const quits = new Map<number, string>();
  let now = 0;
  let check = () => {};
  const server = await Server.listen(net, {
    port: 9876,
    now: () => now,
    every: (_ms, task) => {
      check = task;
      return () => {};
    },
    log: {
      enabled: (level) => level !== "trace",
      write: (level, text) => void lines.push(`${level} ${text}`),
    },
    ...options,
  });
  const received = (async () => {
    for await (const { source, payload } of server as AsyncIterable<SmartMessage>) {
      if (payload.type === "quit") quits.set(source.id, payload.error?.name ?? "gracefully");
    }
  })();
  return {
    server,
    lines,
    quits,
    connect: async (bytes?: Uint8Array) => {
      const { writable, localAddr } = net.connect(9876);
      const writer = writable.getWriter();
      if (bytes !== undefined) await writer.write(bytes);
      await settle();
      return { writer, localAddr };
    },
    pass: async (seconds: number) => {
      now += seconds * 1000;
      check();
      await settle();
    },
    end: async () => {
      await server.close();
      await received;
    },
  };
}

describe("deadlines of a client", () => {
  it("the handshake: 10 s in all, byte by byte or none", async () => {
    const { connect, pass, quits, lines, end } = await start();
    await connect();
    const { writer } = await connect(HELLO.subarray(0, 1));
    for (let i = 1; i < 6; i++) {
      await pass(1.9);
      await writer.write(HELLO.subarray(i, i + 1)).catch(() => {});
      await settle();
    }
    assertEquals([...quits], []);
    await pass(0.6);
    assertEquals([...quits], [[1, "HandshakeTimeout"], [2, "HandshakeTimeout"]]);
    // Whoever sent nothing at all is a probe of the port.
    assertEquals(lines.filter((line) => line.startsWith("warn")).length, 1);
    await end();
  });

  it("inside a packet: 60 s without a byte, the messages before it are kept", async () => {
    const { server, connect, pass, quits, end } = await start();
    const part = framed(new Uint8Array(200_000)).subarray(0, 100_000);
    await connect(concat(HELLO, GOOD, part));
    await pass(29);
    await pass(30);
    assertEquals(quits.get(1), undefined);
    await pass(2);
    assertEquals([quits.get(1), server.stats.messages], ["PacketTimeout", 1]);
    await end();
  });

  it("inside a packet: less than 1 KiB/s after 30 s", async () => {
    const { connect, pass, quits, end } = await start();
    const { writer } = await connect(
      concat(HELLO, framed(new Uint8Array(100_000)).subarray(0, 10)),
    );
    for (let i = 0; i < 10; i++) {
      await pass(3);
      await writer.write(new Uint8Array(1));
      await settle();
    }
    assertEquals(quits.get(1), undefined);
    await pass(3);
    assertEquals(quits.get(1), "PacketTooSlow");
    await end();
  });

  it("inside a packet: much that came at once does not buy hours of trickling", async () => {
    const { connect, pass, quits, end } = await start();
    const { writer } = await connect(
      concat(HELLO, framed(new Uint8Array(2 ** 20)).subarray(0, 2 ** 19)),
    );
    for (let sec = 0; sec < 57; sec += 3) {
      await pass(3);
      await writer.write(new Uint8Array(1));
      await settle();
    }
    assertEquals(quits.get(1), undefined);
    await pass(3);
    await pass(3);
    assertEquals(quits.get(1), "PacketTooSlow");
    await end();
  });

  it("inside a packet: a slow network is waited for, at the pace that is set", async () => {
    for (
      const [minPacketBytesPerSec, quit] of [[500, undefined], [2000, "PacketTooSlow"]] as const
    ) {
      const { connect, pass, quits, end } = await start({ minPacketBytesPerSec });
      const { writer } = await connect(
        concat(HELLO, framed(new Uint8Array(2 ** 20)).subarray(0, 10)),
      );
      for (let sec = 0; sec < 300; sec += 5) {
        await pass(5);
        await writer.write(new Uint8Array(5 * 1024)).catch(() => {});
        await settle();
      }
      assertEquals(quits.get(1), quit);
      await end();
    }
  });

  it("between packets none, unless one is set", async () => {
    const patient = await start();
    await patient.connect(concat(HELLO, GOOD));
    await patient.pass(1e6);
    assertEquals([...patient.quits], []);
    await patient.end();
    const strict = await start({ idleTimeoutSec: 5 });
    const { writer } = await strict.connect(concat(HELLO, GOOD));
    await strict.pass(4);
    await writer.write(GOOD);
    await settle();
    await strict.pass(4);
    assertEquals([...strict.quits], []);
    await strict.pass(1.1);
    assertEquals(strict.quits.get(1), "IdleTimeout");
    await strict.end();
  });

  it("do not count while we paused the client", async () => {
    let now = 0;
    let check = () => {};
    const net = memoryTcp();
    const server = await Server.listen(net, {
      port: 9876,
      now: () => now,
      channelLimitBytes: 1,
      every: (_ms, task) => (check = task, () => {}),
      log: { enabled: () => false, write: () => {} },
    });
    const writer = net.connect(9876).writable.getWriter();
    const writes = Array.from(
      { length: 20 },
      (_, i) => writer.write(i === 0 ? concat(HELLO, GOOD) : GOOD),
    );
    const cut = writer.write(GOOD.subarray(0, 20));
    await settle();
    for (let i = 0; i < 100; i++) {
      now += 10_000;
      check();
      await settle();
    }
    let messages = 0;
    for await (const batch of server.batches()) {
      messages += batch.filter(({ payload }) => payload.type === "msg").length;
      if (messages === 20) break;
    }
    await Promise.all([...writes, cut]);
    assertEquals(server.stats.connections.open, 1);
    await server.close();
  });
});

describe("limits over all clients", () => {
  it("clients past the handshake: the one too many waits for a place, with what it sent", async () => {
    const { server, connect, pass, quits, lines, end } = await start({ maxClients: 2 });
    const first = await connect(concat(HELLO, GOOD));
    await connect(concat(HELLO, GOOD));
    await connect(concat(HELLO, GOOD, GOOD));
    await connect(concat(HELLO, GOOD, GOOD, GOOD));
    await pass(9);
    const connected = () => lines.filter((line) => line.includes("New SDK client")).length;
    assertEquals([...quits], []);
    assertEquals([server.stats.messages, server.stats.connections.open, connected()], [2, 4, 2]);
    await first.writer.close();
    await settle();
    // The third came before the fourth.
    assertEquals([...quits], [[1, "gracefully"]]);
    assertEquals([server.stats.messages, connected()], [4, 3]);
    await end();
  });

  it("clients past the handshake: without a place until the handshake's deadline it goes", async () => {
    const { server, connect, pass, quits, lines, end } = await start({ maxClients: 1 });
    await connect(concat(HELLO, GOOD));
    const late = await connect(concat(HELLO, GOOD));
    await pass(9.9);
    assertEquals([...quits], []);
    await pass(0.2);
    assertEquals([...quits], [[2, "TooManyClients"]]);
    assert(
      lines.at(-1)!.includes(
        "No more than 1 client may be connected at once (--max-clients, option maxClients)",
      ),
      lines.at(-1),
    );
    assertEquals([server.stats.messages, server.stats.connections.open], [1, 1]);
    await late.writer.write(GOOD).catch(() => {});
    assertEquals(server.stats.messages, 1);
    await end();
  });

  it("a client that waits for a place is not asked again: its socket holds the rest", async () => {
    const { connect, pass, server, end } = await start({ maxClients: 1 });
    const first = await connect(concat(HELLO, GOOD));
    const late = await connect(HELLO);
    let written = 0;
    for (let i = 0; i < 5; i++) late.writer.write(GOOD).then(() => written++);
    await pass(5);
    // A write is done when its bytes wait alone to be read.
    assertEquals(written, 1);
    await first.writer.close();
    await settle();
    assertEquals([written, server.stats.messages], [5, 6]);
    await end();
  });

  it("clients that wait for a place are let go when the server closes, with what they sent", async () => {
    const { connect, server, quits, end } = await start({ maxClients: 1 });
    await connect(concat(HELLO, GOOD));
    await connect(concat(HELLO, GOOD));
    await end();
    assertEquals([...quits], [[1, "gracefully"], [2, "gracefully"]]);
    assertEquals(server.stats.messages, 2);
  });

  it("connections in their handshake: the oldest goes, SDKs among them are served", async () => {
    const { server, connect, quits, end } = await start({ maxHandshakes: 3 });
    for (let i = 0; i < 5; i++) await connect();
    assertEquals([...quits], [[1, "TooManyClients"], [2, "TooManyClients"]]);
    await connect(concat(HELLO, GOOD));
    assertEquals(server.stats.messages, 1);
    await end();
  });

  it("memory of unfinished packets: the oldest packet's client goes", async () => {
    const { connect, pass, quits, server, end } = await start({ maxUnfinishedBytes: 400_000 });
    const part = concat(HELLO, framed(new Uint8Array(1_000_000)).subarray(0, 60_000));
    const writers = [];
    for (let i = 0; i < 3; i++) {
      writers.push((await connect(part)).writer);
      await pass(1);
    }
    assertEquals([...quits], []);
    // 64 KiB each are within the limit; 256 KiB more are over it.
    await writers[2]!.write(new Uint8Array(30_000));
    await settle();
    await pass(1);
    assertEquals([...quits], [[1, "UnfinishedPacketsLimit"]]);
    assertEquals(server.stats.connections.open, 2);
    await end();
  });

  it("memory of unfinished packets: it goes at once, though the client waits for room", async () => {
    const net = memoryTcp();
    const server = await Server.listen(net, {
      port: 9876,
      channelLimitBytes: 1,
      maxUnfinishedBytes: 500_000,
      every: () => () => {},
      log: { enabled: () => false, write: () => {} },
    });
    const part = framed(new Uint8Array(2 ** 20)).subarray(0, 100_000);
    const writers = [];
    for (let i = 1; i <= 2; i++) {
      const writer = net.connect(9876).writable.getWriter();
      writers.push(writer);
      await writer.write(concat(HELLO, GOOD, part));
      await settle();
      // The second is too much: the first, which is older, goes.
      assertEquals(PIECES.bytesInUse, PIECE_BYTES);
      assert(server.stats.unfinishedBytes <= 500_000, `${server.stats.unfinishedBytes}`);
    }
    await writers[0]!.write(GOOD).catch(() => {});
    const received = server.batches();
    const payloads = [];
    while (payloads.length < 3) payloads.push(...(await received.next()).value!);
    assertEquals(payloads.map(({ source, payload }) => [source.id, payload.type]), [
      [1, "msg"],
      [2, "msg"],
      [1, "quit"],
    ]);
    await server.close();
    assertEquals(PIECES.bytesInUse, 0);
  });

  it("memory of packets that were finished or left does not count", async () => {
    const { connect, quits, end } = await start({ maxUnfinishedBytes: 200_000 });
    const whole = framed(
      concat(rrdHeader(), rrdMessage(setStoreInfo()), new Uint8Array(8), new Uint8Array(100_000)),
    );
    for (let i = 0; i < 10; i++) {
      const { writer } = await connect(concat(HELLO, whole.subarray(0, 50_000)));
      await writer.write(whole.subarray(50_000));
      await settle();
      if (i % 2) await writer.close();
      await settle();
    }
    assertEquals([...quits.values()], Array(5).fill("gracefully"));
    await end();
  });
});
