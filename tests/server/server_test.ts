import { describe, it } from "node:test";
import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import {
  memoryTcp,
  ReceiverTaken,
  type ServeOptions,
  Server,
  type SmartMessage,
  TcpBindError,
} from "../../mod.ts";
import { TcpClientSource } from "../../lib/flow/mod.ts";
import {
  arrowMsg,
  concat,
  Entries,
  framed,
  HELLO,
  rrdHeader,
  rrdMessage,
  setStoreInfo,
} from "../encoding/rrd_builder.ts";
import { capturePackets, CAPTURES, describeMsg, expectedCapture, fixture } from "../fixtures.ts";

const GOOD = framed(concat(rrdHeader(), rrdMessage(setStoreInfo())));

/** A server in memory, with its log. */
async function start(options: ServeOptions = {}) {
  const net = memoryTcp();
  const lines: string[] = [];
  const log = {
    enabled: () => true,
    write: (level: string, text: string) => void lines.push(`${level} ${text}`),
  };
  const server = await Server.listen(net, { port: 9876, log, ...options });
  const next = server.batches();
  return { net, server, lines, next };
}

type Started = Awaited<ReturnType<typeof start>>;

/** Sends bytes as one client, leaves as told, and gives what was received of it and said about it. */
async function client(
  { net, server, lines, next }: Started,
  bytes: Uint8Array,
  leave: "close" | "reset" = "close",
) {
  const said = lines.length;
  const peer = await net.connect(server.addr.port);
  const writer = peer.writable.getWriter();
  const sent = (async () => {
    if (bytes.length > 0) await writer.write(bytes);
    if (leave === "close") await writer.close();
  })().catch(() => {});
  const received: SmartMessage[] = [];
  while (received.at(-1)?.payload.type !== "quit") {
    if (leave === "reset" && received.length === 1) peer.reset(new Error("reset by peer"));
    const { value, done } = await next.next();
    if (done) throw new Error("the server ended");
    received.push(...value);
  }
  await sent;
  const { payload } = received.at(-1)!;
  // The log line follows the quit.
  await new Promise((resolve) => setTimeout(resolve, 0));
  return {
    messages: received.length - 1,
    error: payload.type === "quit" ? payload.error : undefined,
    lines: lines.slice(said).map((line) => line.replaceAll(/127\.0\.0\.1:\d+/g, "ADDR")),
  };
}

const CONNECTED = "info New SDK client connected from: ADDR";

describe("Server, what ends a client and what is said of it", () => {
  it("nothing was sent: a quit without error, and no line", async () => {
    const started = await start();
    assertEquals(await client(started, new Uint8Array(0)), {
      messages: 0,
      error: undefined,
      lines: [],
    });
    await started.server.close();
  });

  it("an end between packets: a quit without error, and no line", async () => {
    const started = await start();
    const { messages, error, lines } = await client(started, concat(HELLO, GOOD, GOOD));
    assertEquals([messages, error, lines.filter((line) => !line.startsWith("trace"))], [
      2,
      undefined,
      [
        CONNECTED,
      ],
    ]);
    assert(lines.includes(`trace Received packet of size ${GOOD.length - 4}.`), lines.join("\n"));
    await started.server.close();
  });

  for (
    const [what, bytes, name, line] of [
      [
        "the version",
        HELLO.subarray(0, 1),
        "TruncatedHandshake",
        "warn Client at ADDR left early: The connection ended after 1 byte, inside the handshake",
      ],
      [
        "the header",
        HELLO.subarray(0, 5),
        "TruncatedHandshake",
        "warn Client at ADDR left early: The connection ended after 5 bytes, inside the handshake",
      ],
      [
        "a packet",
        concat(HELLO, GOOD, GOOD.subarray(0, 50)),
        "TruncatedPacket",
        `warn Client at ADDR left early: The connection ended inside a packet, after 50 of ${GOOD.length} bytes`,
      ],
      [
        "a length",
        concat(HELLO, GOOD, GOOD.subarray(0, 3)),
        "TruncatedPacket",
        "warn Client at ADDR left early: The connection ended inside a packet, after 3 of an unknown number of bytes",
      ],
      [
        "TLS",
        Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0),
        "UnknownClient",
        "warn Rejected incoming connection from unknown client at ADDR: " +
        "Received a connection from an unknown client: it does not speak the Rerun SDK protocol. " +
        "It seems to be a TLS client (https, grpcs): connect without TLS, or by a proxy that " +
        "takes it off",
      ],
      [
        "unknown bytes",
        new TextEncoder().encode("ssh-2.0-OpenSSH"),
        "UnknownClient",
        "warn Rejected incoming connection from unknown client at ADDR: " +
        "Received a connection from an unknown client: it does not speak the Rerun SDK protocol. " +
        "Its first bytes tell of no protocol known here: SDKs from 0.23 on connect to " +
        "rerun+http://HOST:PORT/proxy, older ones to HOST:PORT",
      ],
      [
        "SSH",
        new TextEncoder().encode("SSH-2.0-OpenSSH_9.9\r\n"),
        "UnknownClient",
        "warn Rejected incoming connection from unknown client at ADDR: " +
        "Received a connection from an unknown client: it does not speak the Rerun SDK protocol. " +
        "It seems to be an SSH client, whose servers have port 22 as a rule",
      ],
      [
        "a newer protocol",
        Uint8Array.of(2, ...HELLO.subarray(1)),
        "ClientIsNewer",
        "warn Closing connection to client at ADDR: " +
        "SDK client is using a newer protocol version (2) than the SDK server (1)",
      ],
      [
        "a packet that is no RRD",
        concat(HELLO, GOOD, framed(new Uint8Array(20))),
        "NotAnRrd",
        `warn Closing connection to client at ADDR, in its packet at byte ${
          HELLO.length + GOOD.length
        }: Not an .rrd file`,
      ],
      [
        "a packet over the limit",
        concat(HELLO, GOOD, Uint8Array.of(0, 0, 0, 0xf0)),
        "PacketTooLarge",
        "warn Closing connection to client at ADDR: A packet of 4026531840 bytes is over the limit of " +
        "536870912 bytes (--max-packet, option maxPacketBytes)",
      ],
    ] as const
  ) {
    it(`${what}: ${name}, after all that came before it`, async () => {
      const started = await start();
      const { messages, error, lines } = await client(started, bytes);
      assertEquals(error?.name, name);
      const good = bytes.length > HELLO.length + GOOD.length ? 1 : 0;
      assertEquals(messages, good);
      assertEquals(lines.filter((text) => !text.startsWith("trace") && text !== CONNECTED), [line]);
      await started.server.close();
    });
  }

  it("a TCP reset: that error, after all that came before it", async () => {
    const started = await start();
    const { messages, error, lines } = await client(started, concat(HELLO, GOOD), "reset");
    assertEquals(messages, 1);
    assertEquals(error?.message, "reset by peer");
    assertEquals(lines.at(-1), "warn Closing connection to client at ADDR: reset by peer");
    await started.server.close();
  });

  it("an old protocol is warned of and taken, without a connect line", async () => {
    const started = await start();
    const { messages, lines } = await client(started, fixture("captures/0.9.1-scalars.bin"));
    assertEquals(messages, 3);
    assertEquals(lines.filter((line) => !line.startsWith("trace")), [
      "warn Client is using an old protocol version from before 0.16. It connected from ADDR, and " +
      "is received all the same",
    ]);
    await started.server.close();
  });

  it("one client's failure touches no other", async () => {
    const started = await start();
    const peer = await started.net.connect(9876);
    const writer = peer.writable.getWriter();
    await writer.write(concat(HELLO, GOOD));
    await started.next.next();
    const { error } = await client(started, new TextEncoder().encode("not an SDK"));
    assertEquals(error?.name, "UnknownClient");
    await writer.write(GOOD);
    const { value } = await started.next.next();
    assertEquals(value.map(({ payload }: SmartMessage) => payload.type), ["msg"]);
    await started.server.close();
  });

  it("bad packet k of n in one read, slow receiver: exactly k-1 messages, then the quit", async () => {
    for (let k = 1; k <= 6; k++) {
      const started = await start();
      const packets = Array.from(
        { length: 6 },
        (_, i) => i === k - 1 ? framed(new Uint8Array(12)) : GOOD,
      );
      const peer = await started.net.connect(9876);
      const writer = peer.writable.getWriter();
      writer.write(concat(HELLO, ...packets)).catch(() => {});
      await started.next.return!();
      const types = [];
      for await (const { payload } of started.server) {
        types.push(payload.type);
        await new Promise((resolve) => setTimeout(resolve, 1));
        if (payload.type === "quit") {
          assertEquals(payload.error?.name, "NotAnRrd");
          break;
        }
      }
      assertEquals(types, [...Array(k - 1).fill("msg"), "quit"]);
      await started.server.close();
    }
  });
});

describe("Server, what it says of itself", () => {
  it("warns once of each version outside 0.9 to 0.22, and goes on", async () => {
    const started = await start();
    const old = framed(concat(rrdHeader({ version: [0, 8, 0, 0] }), rrdMessage(setStoreInfo())));
    const { messages, lines } = await client(started, concat(HELLO, old, GOOD, old));
    assertEquals(messages, 3);
    const warnings = lines.filter((line) => line.startsWith("warn"));
    assertEquals(warnings, [
      "warn The client at ADDR sends data of Rerun 0.8.0; over TCP 0.9 to 0.22 are known to work. " +
      "It is received all the same",
    ]);
    const again = await client(started, concat(HELLO, old));
    assertEquals(again.lines.filter((line) => line.startsWith("warn")), []);
    await started.server.close();
  });

  it("quiet turns hosting and connect lines to debug; warnings stay", async () => {
    const started = await start({ quiet: true });
    const { lines } = await client(started, concat(HELLO, GOOD, Uint8Array.of(1)));
    assertEquals(
      started.lines[0],
      "debug Hosting a SDK server over TCP at 127.0.0.1:9876. " +
        "Connect with the Rerun logging SDK. " +
        'From 0.23 on: rr.connect_grpc("rerun+http://127.0.0.1:9876/proxy"); ' +
        'before: rr.connect_tcp("127.0.0.1:9876")',
    );
    assertEquals(
      lines.filter((line) => !line.startsWith("trace")).map((line) => line.split(" ")[0]),
      [
        "debug",
        "warn",
      ],
    );
    await started.server.close();
  });

  it("names its sources and itself as Rerun does", async () => {
    const { net, server, next } = await start();
    assertEquals(server.source, "TCP server, port 9876");
    const { localAddr, writable } = net.connect(9876);
    await writable.getWriter().write(concat(HELLO, GOOD));
    const { value: [{ source }] } = await next.next();
    assertEquals({ ...source }, { kind: "tcp-client", id: 1, addr: localAddr });
    assertEquals(String(source), `tcp://127.0.0.1:${localAddr.port}`);
    assertEquals(String(new TcpClientSource(2, undefined)), "(unknown ip)");
    await server.close();
  });

  it("counts connections, messages and bytes", async () => {
    const started = await start();
    await client(started, concat(HELLO, GOOD));
    const peer = await started.net.connect(9876);
    await peer.writable.getWriter().write(concat(HELLO, GOOD, GOOD));
    await started.next.next();
    const bytes = GOOD.length - 4 - 12;
    const { connections, messages, bytes: all, queued, clients } = started.server.stats;
    assertEquals(
      [connections, messages, all],
      [{ open: 1, total: 2, refused: 0 }, 3, 3 * bytes] as never,
    );
    assertEquals(queued, { messages: 0, bytes: 0 });
    assertEquals(clients.map(({ source, messages, bytes }) => [source.id, messages, bytes]), [
      [2, 2, 2 * bytes],
    ]);
    await started.server.close();
  });

  it("says whose messages are dropped, once when it begins and once when it ends", async () => {
    let now = 0;
    const started = await start({
      now: () => now,
      delay: () => Promise.resolve(),
      every: () => () => {},
      maxLatencySec: 0.2,
      channelLimitBytes: 20_000,
    });
    const peer = started.net.connect(9876);
    const writer = peer.writable.getWriter();
    const frame = (i: number) => {
      const time = new Entries([[{ name: "frame", typ: "Sequence" }, i]]);
      return framed(concat(rrdHeader(), rrdMessage(arrowMsg(time, { data: 2000 }))));
    };
    await writer.write(HELLO);
    for (let i = 0; i < 50; i++) {
      await writer.write(frame(i));
      await new Promise((resolve) => setTimeout(resolve, 1));
      now += 20;
    }
    const { dropped, acceptRate, clients } = started.server.stats;
    const messages = dropped.throttled.messages + dropped.overflow.messages;
    assert(messages > 5 && acceptRate < 1, `${messages} dropped, ${acceptRate}`);
    assertEquals(clients[0]!.dropped, dropped);
    assertEquals(clients[0]!.acceptRate, acceptRate);
    await writer.close();
    for await (const batch of started.next) if (batch.at(-1)?.payload.type === "quit") break;
    await started.server.close();
    const at = `(client at 127.0.0.1:${peer.localAddr.port})`;
    const lines = started.lines.filter((line) => line.includes("dropping"));
    assertEquals(lines.filter((line) => line.startsWith("warn")), [
      `warn Input latency is over the max (0.2 s) - dropping packets. ${at}`,
    ]);
    const last = lines.at(-1)!;
    assert(
      last.startsWith(`info No longer dropping packets: dropped ${messages} messages (`),
      last,
    );
    assertEquals(started.server.stats.dropped, dropped);
    assertEquals(started.server.stats.messages + messages, 50);
  });

  it("receives every capture as it was sent", async () => {
    const started = await start();
    for (const name of CAPTURES) {
      const expected = expectedCapture(name).packets.flatMap(({ messages }) => messages);
      const { messages, error } = await client(started, fixture(`captures/${name}.bin`));
      assertEquals([name, messages, error], [name, expected.length, undefined]);
    }
    await started.server.close();
  });
});

describe("Server, options and end", () => {
  it("refuses options out of range before it listens", async () => {
    for (
      const options of [
        { port: -1 },
        { port: 70000 },
        { port: 1.5 },
        { maxLatencySec: 0 },
        { maxLatencySec: NaN },
        { maxLatencySec: -1 },
        { channelLimitBytes: 0 },
        { maxPacketBytes: NaN },
      ]
    ) {
      await assertRejects(() => Server.listen(memoryTcp(), options), RangeError);
    }
  });

  it("says that a port is busy, and how to go on", async () => {
    const { net, server } = await start();
    const error = await Server.listen(net, { port: 9876 }).catch((error) => error);
    assertInstanceOf(error, TcpBindError);
    assert(
      error.message.startsWith(
        'Failed to bind TCP address "127.0.0.1:9876". Another Rerun instance is probably running. ',
      ),
      error.message,
    );
    await server.close();
  });

  it("one loop receives at a time; break leaves the server running", async () => {
    const started = await start();
    assertThrows(() => started.server.batches(), ReceiverTaken);
    await started.next.return!();
    const again = { ...started, next: started.server.batches() };
    assertEquals((await client(again, concat(HELLO, GOOD))).messages, 1);
    await started.server.close();
  });

  it("an aborted signal closes it, before or after the start", async () => {
    const controller = new AbortController();
    const { server, next } = await start({ signal: controller.signal });
    controller.abort();
    assertEquals((await next.next()).done, true);
    await server.close();
    await assertRejects(() => Server.listen(memoryTcp(), { signal: controller.signal }), Error);
  });

  it("close cuts clients, delivers what they sent, and ends the loop", async () => {
    const { net, server, next } = await start();
    const peer = await net.connect(9876);
    await peer.writable.getWriter().write(concat(HELLO, GOOD));
    const first = await next.next();
    assertEquals(first.value?.length, 1);
    await server.close();
    const rest = [];
    for await (const batch of next) rest.push(...batch);
    assertEquals(rest.map(({ payload }) => payload.type), ["quit"]);
    assertEquals(server.stats.connections.open, 0);
  });

  it("close with a drain reads on until it is quiet", async () => {
    let now = 0;
    const delay = async (ms: number) => {
      now += ms;
      await new Promise((resolve) => setTimeout(resolve, 0));
    };
    const { net, server, next } = await start({ now: () => now, delay });
    const peer = await net.connect(9876);
    const writer = peer.writable.getWriter();
    await writer.write(concat(HELLO, GOOD));
    await next.next();
    const closed = server.close({ drainMs: 1000, quietMs: 100 });
    await writer.write(GOOD);
    const { value } = await next.next();
    assertEquals(value.map(({ payload }: SmartMessage) => payload.type), ["msg"]);
    await closed;
    assert(now >= 100 && now < 1000, `${now} ms`);
  });

  it("close with a drain lets in first who waits at the port", async () => {
    const { net, server, next } = await start();
    const peers = await Promise.all(Array.from({ length: 200 }, () => net.connect(9876)));
    await Promise.all(peers.map(async (peer) => {
      const writer = peer.writable.getWriter();
      await writer.write(concat(HELLO, GOOD));
      await writer.close();
    }));
    const closed = server.close({ drainMs: 5000, quietMs: 20 });
    const types = [];
    for await (const batch of next) types.push(...batch.map(({ payload }) => payload.type));
    await closed;
    assertEquals(types.filter((type) => type === "msg").length, peers.length);
  });

  it("a paused client does not count as quiet: what it still sends is drained", async () => {
    let now = 0;
    const delay = async (ms: number) => {
      now += ms;
      await new Promise((resolve) => setTimeout(resolve, 0));
    };
    const { net, server, next } = await start({ now: () => now, delay, channelLimitBytes: 1 });
    const peer = await net.connect(9876);
    const writer = peer.writable.getWriter();
    const sent = [concat(HELLO, GOOD), GOOD, GOOD, GOOD].map((bytes) => writer.write(bytes));
    const closed = server.close({ drainMs: 5000, quietMs: 100 });
    while (now < 400) await new Promise((resolve) => setTimeout(resolve, 0));
    const types = [];
    for await (const batch of next) types.push(...batch.map(({ payload }) => payload.type));
    await Promise.all([closed, ...sent]);
    assertEquals(types, ["msg", "msg", "msg", "msg", "quit"]);
  });

  it("flush resolves when all that was sent was received", async () => {
    const { net, server, next } = await start();
    await next.return!();
    const peer = await net.connect(9876);
    await peer.writable.getWriter().write(concat(HELLO, GOOD, GOOD));
    while (server.stats.queued.messages < 2) await new Promise((resolve) => setTimeout(resolve, 0));
    let flushed = false;
    const flush = server.flush().then(() => flushed = true);
    const loop = server[Symbol.asyncIterator]();
    await loop.next();
    assertEquals(flushed, false);
    await loop.next();
    await flush;
    await server.close();
  });

  it("await using closes it", async () => {
    const net = memoryTcp();
    {
      await using _server = await Server.listen(net, {
        port: 5,
        log: { enabled: () => false, write: () => {} },
      });
    }
    await (await Server.listen(net, { port: 5, log: { enabled: () => false, write: () => {} } }))
      .close();
  });

  it("close ends the loop where a feed can't be ended, and says so", async () => {
    const { server, lines, next } = await start();
    const ended: string[] = [];
    const feed = (name: string, close: () => Promise<void>) => ({
      ...{ start() {}, clients: [], received() {} },
      close: () => close().finally(() => ended.push(name)),
    });
    server.join(feed("one", () => Promise.reject(new Error("the disk is gone"))));
    server.join(feed("other", () => Promise.resolve()));
    await server.close();
    assertEquals((await next.next()).done, true);
    assertEquals(ended.sort(), ["one", "other"]);
    assertEquals(lines.filter((line) => line.startsWith("error")), [
      "error A feed could not be ended: the disk is gone",
    ]);
  });

  it("canceling its stream closes it", async () => {
    const { server, next } = await start();
    await next.return!();
    await server.readable.cancel();
    assertEquals((await server.batches().next()).done, true);
  });

  it("capturePackets and the server agree on a whole capture", async () => {
    const started = await start();
    const peer = await started.net.connect(9876);
    const writer = peer.writable.getWriter();
    writer.write(fixture("captures/0.22.1-blueprint.bin")).then(() => writer.close()).catch(
      () => {},
    );
    const seen = [];
    for await (const batch of started.next) {
      for (const { payload } of batch) {
        if (payload.type === "msg") seen.push(describeMsg(payload.msg));
      }
      if (batch.at(-1)?.payload.type === "quit") break;
    }
    assertEquals(seen.length, capturePackets("0.22.1-blueprint").length);
    await started.server.close();
  });
});
