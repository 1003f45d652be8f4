import { describe, it } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import { createServer, type Socket } from "node:net";
import { LinkPatience } from "../../../lib/adapters/tcp/link_patience.ts";
import { connectGrpc } from "../../../lib/adapters/tcp/node_grpc.ts";
import { connectRetrying } from "../../../lib/adapters/tcp/node_connect.ts";
import { askUnsentBytes, waitingBytes } from "../../../lib/adapters/tcp/unread_bytes.ts";
import { RerelayError } from "../../../lib/base/errors.ts";

describe("LinkPatience", () => {
  it("waits while bytes flow, and as long as is set without any", () => {
    const patience = new LinkPatience(100, 0, 0);
    assertEquals(patience.isOver(1000, 90), false);
    assertEquals(patience.isOver(900, 180), false);
    assertEquals(patience.isOver(900, 279), false);
    assertEquals(patience.isOver(900, 280), true);
  });

  it("waits as long as the sending took where nothing can be seen", () => {
    const patience = new LinkPatience(100, 5000, 0);
    assertEquals(patience.isOver(undefined, 4999), false);
    assertEquals(patience.isOver(undefined, 5000), true);
    assertEquals(new LinkPatience(100, 5, 0).isOver(undefined, 100), true);
  });
});

describe("waitingBytes", () => {
  const table = [
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid",
    "   0: 0100007F:2694 0100007F:D431 01 00000000:00001000 00:00000000 00000000     0",
    "  11: 0100007F:D431 0100007F:2694 04 00000200:00000000 00:00000000 00000000     0",
    "  12: 0100007F:D432 0100007F:2694 01 0000FFFF:00000000 00:00000000 00000000     0",
  ].join("\n");

  it("adds what waits on both sides of a connection of this machine", () => {
    assertEquals(waitingBytes(table, { local: 0xd431, remote: 0x2694 }), 0x1200);
    assertEquals(waitingBytes(table, { local: 0xd433, remote: 0x2694 }), undefined);
    assertEquals(waitingBytes("", { local: 1, remote: 2 }), undefined);
  });
});

describe("askUnsentBytes", () => {
  const hex = (host: string) => host.replace(/(..)(..)(..)(..)/g, "$4$3$2$1");
  const line = (host: string, port: string, unsent: string) =>
    `   0: ${hex("7F000001")}:2694 ${hex(host)}:${port} 01 ${unsent}:00000007 00:00000000`;
  const table = [
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid",
    line("0A000007", "C001", "00000010"),
    line("0A000008", "C001", "00000020"),
    line("20010DB8000000000000000000000001", "C002", "00000030"),
    line("00000000000000000000FFFF0A000009", "C003", "00000040"),
    line("FE800000000000000000000000000001", "C004", "00000000"),
  ].join("\n");

  it("tells what waits for a peer, however its address is written", async () => {
    const unsentBytes = askUnsentBytes(() => Promise.resolve(table));
    const asked = {
      "10.0.0.7:49153": 16,
      "10.0.0.8:49153": 32,
      "[::ffff:10.0.0.8]:49153": 32,
      "[2001:db8::1]:49154": 48,
      "10.0.0.9:49155": 64,
      "[::ffff:10.0.0.9]:49155": 64,
      "[fe80::1%eth0]:49156": 0,
      "10.0.0.7:49154": undefined,
      "127.0.0.1:9876": undefined,
      "somewhere": undefined,
    };
    for (const [addr, bytes] of Object.entries(asked)) {
      assertEquals([addr, await unsentBytes(addr)], [addr, bytes]);
    }
  });

  it("looks once for all who ask at the same time, and again for who asks later", async () => {
    let looks = 0;
    const unsentBytes = askUnsentBytes(() => {
      looks++;
      return Promise.resolve(table);
    });
    const both = [unsentBytes("10.0.0.7:49153"), unsentBytes("10.0.0.8:49153")];
    assertEquals([await Promise.all(both), looks], [[16, 32], 1]);
    assertEquals([await unsentBytes("10.0.0.7:49153"), looks], [16, 2]);
  });

  it("tells all who ask at the same time, also of one peer in two forms", async () => {
    const unsentBytes = askUnsentBytes(() => Promise.resolve(table));
    const both = ["10.0.0.8:49153", "[::ffff:10.0.0.8]:49153"].map((addr) => unsentBytes(addr));
    assertEquals(await Promise.all(both), [32, 32]);
  });

  it("looks for a tenth of the time at most, and tells those who ask meanwhile afterwards", async () => {
    let time = 0;
    let takes = 400; // as where a machine has 100,000 connections
    const looks: number[] = [];
    const delays: number[] = [];
    const unsentBytes = askUnsentBytes(() => {
      looks.push(time);
      time += takes;
      return Promise.resolve(table);
    }, {
      now: () => time,
      delay(ms) {
        delays.push(ms);
        time += ms;
        return Promise.resolve();
      },
    });
    assertEquals(await unsentBytes("10.0.0.7:49153"), 16);
    time += 600;
    const both = [unsentBytes("10.0.0.7:49153"), unsentBytes("10.0.0.8:49153")];
    assertEquals([await Promise.all(both), looks, delays], [[16, 32], [0, 4000], [3000]]);
    time += 10_000;
    assertEquals([await unsentBytes("10.0.0.7:49153"), delays.length], [16, 1]);
    // A look during which the program was stopped for an hour.
    takes = 3_600_000;
    time += 10_000;
    await unsentBytes("10.0.0.7:49153");
    await unsentBytes("10.0.0.7:49153");
    assertEquals(delays, [3000, 9000]);
  });

  it("tells nothing where the system has no such table", async () => {
    const unsentBytes = askUnsentBytes(() => Promise.reject(new Error("not Linux")));
    assertEquals(await unsentBytes("10.0.0.7:49153"), undefined);
  });
});

describe("connectRetrying, the end", { timeout: 60_000 }, () => {
  async function withServer(
    onConnection: (socket: Socket) => void,
    test: (port: number) => Promise<void>,
  ) {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on("error", () => {});
      onConnection(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      await test((server.address() as { port: number }).port);
    } finally {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  it("waits for a server that takes longer than the timeout, as long as it reads", () => {
    let received = 0;
    const slow = (socket: Socket) =>
      void socket.on("data", ({ length }) => {
        received += length;
        socket.pause();
        setTimeout(() => socket.resume(), 10);
      });
    return withServer(slow, async (port) => {
      const socket = await connectRetrying("127.0.0.1", port, 200);
      await socket.write(new Uint8Array(6 << 20));
      await socket.finish();
      assertEquals(received, (6 << 20) + 7);
    });
  });

  it("gives up on one that reads no more", () =>
    withServer((socket) => socket.pause(), async (port) => {
      const socket = await connectRetrying("127.0.0.1", port, 300);
      await socket.write(new Uint8Array(1000));
      await assertRejects(() => socket.finish(), RerelayError, "took nothing for 0.3 s");
    }));

  it("gives up on one that reads no more in the middle of it", () =>
    withServer((socket) => socket.pause(), async (port) => {
      const socket = await connectRetrying("127.0.0.1", port, 300);
      const all = new Uint8Array(64 << 20);
      await assertRejects(() => socket.write(all), RerelayError, "took nothing for 0.3 s");
    }));

  it("gives up on one that reads no more in the middle of a call", () =>
    withServer((socket) => socket.pause(), async (port) => {
      const call = await connectGrpc("127.0.0.1", port, 300);
      const sends = async () => {
        for (;;) await call.send([new Uint8Array(1 << 20)]);
      };
      await assertRejects(sends, RerelayError, "took nothing for 0.3 s");
      call.destroy();
    }));
});
