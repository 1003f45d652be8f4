import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import type { ViewerSocket } from "../../../lib/adapters/http/types.ts";
import { GrpcService } from "../../../lib/comms/grpc/service.ts";
import type { ViewerHub } from "../../../lib/viewers/types.ts";
import { httpApp } from "../../../lib/viewers/serve/http_app.ts";
import { messageReaders } from "../../../lib/viewers/serve/read_messages.ts";
import { relaySocket } from "../../../lib/viewers/serve/relay_socket.ts";
import { type StallOptions, StallWatch } from "../../../lib/viewers/serve/stall_watch.ts";
import { websocketRelay } from "../../../lib/viewers/serve/websocket_relay.ts";
import { frame } from "../../comms/grpc/frames.ts";
import { MemoryStream } from "../../comms/grpc/memory_stream.ts";
import { TestClock, turn } from "../clock.ts";
import { chunk, madeHub, smart } from "../messages.ts";

const MiB = 1024 * 1024;
const ADDR = { hostname: "10.0.0.7", port: 5 };
const METHOD = "/rerun.sdk_comms.v1alpha1.MessageProxyService/ReadMessages";
const HERE = "http://127.0.0.1:9090";

/** Joins a viewer that takes nothing from its door. */
type Join = (hub: ViewerHub, options: StallOptions) => unknown;

const grpcWeb: Join = (hub, options) =>
  httpApp({ hub, readers: messageReaders(hub, options), ...options }).fetch(
    new Request(HERE + METHOD, {
      method: "POST",
      headers: { "content-type": "application/grpc-web+proto", host: "127.0.0.1:9090" },
      body: frame(new Uint8Array()),
    }),
    { remoteAddr: ADDR },
  );

/** By the times that the usual deadline counts there. */
const DOORS: Readonly<Record<string, { readonly patience: number; readonly join: Join }>> = {
  "a WebSocket": {
    patience: 1,
    join(hub, options) {
      const socket: ViewerSocket = {
        closed: new Promise(() => {}),
        bufferedBytes: 64 * 1024,
        sentBytes: 0,
        send() {},
        sendFrames() {},
        progress: () => new Promise(() => {}),
        close() {},
      };
      const upgraded = { response: new Response(), socket: Promise.resolve(socket) };
      const upgrade = () => upgraded;
      websocketRelay(hub, options)(new Request(HERE), { upgrade, remoteAddr: ADDR });
    },
  },
  "a WebSocket of another server": {
    patience: 1,
    join(hub, options) {
      const socket = Object.assign(new EventTarget(), {
        ...{ readyState: 1, bufferedAmount: 64 * 1024, binaryType: "blob" },
        send() {},
        close() {},
      });
      void relaySocket(hub, socket as unknown as WebSocket, { ...options, addr: "10.0.0.7:5" });
    },
  },
  "HTTP": {
    patience: 1,
    async join(hub, options) {
      const request = new Request(`${HERE}/stream.rrd`);
      const { body } = await httpApp({ hub, ...options }).fetch(request, { remoteAddr: ADDR });
      await body!.getReader().read();
    },
  },
  "gRPC": {
    patience: 1,
    join(hub, options) {
      const readers = messageReaders(hub, options);
      const service = new GrpcService<undefined>({
        writeMessages() {},
        readMessages: (info) => readers.read(info, { addr: ADDR }),
        writeTable() {},
        async *readTables() {},
        isServing: () => true,
        failed() {},
      });
      const stream = new MemoryStream(METHOD, { ":authority": "127.0.0.1:9876" });
      stream.window = 0;
      service.accept(stream, undefined);
      stream.send(frame(new Uint8Array()));
      stream.finish();
    },
  },
  "gRPC-web": { patience: 6, join: grpcWeb },
};

describe("viewers on links so slow that their door takes nothing for long", () => {
  for (const [name, { patience, join }] of Object.entries(DOORS)) {
    it(`are not cut off at ${name} while the system holds less and less for them`, async () => {
      const clock = new TestClock();
      const hub = madeHub();
      for (let i = 0; i < 10; i++) hub.write([smart(chunk(i, 100_000))]);
      let unsent = 4 * MiB;
      const asked = new Set<string>();
      join(hub, {
        now: clock.now,
        every: clock.every,
        unsentBytes(addr) {
          asked.add(addr);
          return Promise.resolve(unsent);
        },
      });
      await turn();
      const wait = async (seconds: number, bytesPerSec = 0) => {
        for (let i = 0; i < seconds * 2; i++) {
          unsent -= bytesPerSec / 2;
          clock.pass(500);
          await turn();
        }
      };
      await wait(100, 10_000);
      assertEquals([hub.stats.viewers.length, hub.stats.gone.stalled], [1, 0]);
      assertEquals([...asked], ["10.0.0.7:5"]);
      await wait(10 * patience - 1);
      assertEquals(hub.stats.gone.stalled, 0);
      await wait(3);
      assertEquals(hub.stats.gone.stalled, 1);
    });
  }
});

describe("viewers that stand still", () => {
  for (const [name, { join }] of Object.entries(DOORS)) {
    it(`have the system asked by their hub at ${name}, so that all share what it tells`, async () => {
      const clock = new TestClock();
      const asked: string[] = [];
      const unsentBytes = (addr: string) => Promise.resolve(void asked.push(addr));
      const hub = Object.assign(madeHub(), { unsentBytes });
      for (let i = 0; i < 10; i++) hub.write([smart(chunk(i, 100_000))]);
      for (let i = 0; i < 2; i++) join(hub, { now: clock.now, every: clock.every });
      await turn();
      for (let i = 0; i < 6; i++) {
        clock.pass(500);
        await turn();
      }
      assertEquals([asked[0], asked.length >= 2], ["10.0.0.7:5", true]);
    });
  }
});

describe("StallWatch", () => {
  /** A transfer that takes nothing, and the seconds after which it was cut off. */
  async function cutAfter(unsentBytes: (second: number) => number | undefined): Promise<number> {
    const clock = new TestClock();
    let cut: number | undefined;
    const stalls = new StallWatch({
      ...{ now: clock.now, every: clock.every },
      unsentBytes: () => Promise.resolve(unsentBytes(clock.now() / 1000)),
    });
    const unwatch = stalls.add({
      ...{ waits: true, taken: 0, addr: "10.0.0.7:5" },
      cut: () => cut ??= clock.now() / 1000,
    });
    while (cut === undefined && clock.now() < 100_000) {
      clock.pass(500);
      await turn();
    }
    unwatch();
    assertEquals(clock.timers, 0);
    return cut ?? Infinity;
  }

  it("goes by the transfer alone where the system does not tell", async () => {
    assertEquals(await cutAfter(() => undefined), 10);
    assertEquals(await cutAfter((second) => second < 3 ? undefined : 1000), 10);
  });

  it("cuts off who takes a few bytes now and then, and not who takes 1 KB a second", async () => {
    assertEquals(await cutAfter((second) => MiB - Math.floor(second)), 10);
    assertEquals(await cutAfter((second) => MiB - 400 * second) < 30, true);
    assertEquals(await cutAfter((second) => MiB - 1000 * second) > 90, true);
  });

  it("knows that the system had room where it holds more than before", async () => {
    assertEquals(await cutAfter((second) => second < 9 ? MiB : MiB + 300_000) > 18, true);
  });

  it("counts what others on the same connection take only while something of its own is there", async () => {
    // Goes up and down by 100 kB for ever, of which a megabyte and a half may have been its own.
    const seconds = await cutAfter((second) => MiB + second % 2 * 100_000);
    assertEquals(seconds > 20 && seconds < 45, true, `${seconds}`);
  });

  it("cuts off nobody because the system can't be asked", async () => {
    const clock = new TestClock();
    const stalls = new StallWatch({
      ...{ now: clock.now, every: clock.every },
      unsentBytes: () => Promise.reject(new Error("no such table")),
    });
    let cuts = 0;
    stalls.add({ waits: true, taken: 0, addr: "10.0.0.7:5", cut: () => cuts++ });
    for (let i = 0; i < 19; i++) {
      clock.pass(500);
      await turn();
    }
    assertEquals(cuts, 0);
    clock.pass(1000);
    assertEquals(cuts, 1);
  });
});
