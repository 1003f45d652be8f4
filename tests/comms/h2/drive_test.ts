import { describe, it } from "node:test";
import { assert, assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { memoryTcp } from "../../../lib/adapters/tcp/memory_tcp.ts";
import type { MemoryClient } from "../../../lib/adapters/tcp/memory_tcp.ts";
import { H2Connection } from "../../../lib/comms/h2/connection.ts";
import { H2Driver, type H2Socket } from "../../../lib/comms/h2/drive.ts";
import { PeerSilent } from "../../../lib/comms/h2/error_codes.ts";
import type { H2Options, H2Stream } from "../../../lib/comms/h2/types.ts";
import { BufferPool } from "../../../lib/memory/buffer_pool.ts";
import { checksum, joined, randomBytes } from "../../contract/streams.ts";
import { seeded } from "../../random.ts";
import { ATTACKS, BEGINNING } from "./attacks.ts";
import { FIELDS } from "./pair.ts";
import { bytes, frame, frames, hello, REQUEST, u32 } from "./wire.ts";

/** The client's end of a connection in memory, as a socket. */
function socketOf(client: MemoryClient): H2Socket {
  const writer = client.writable.getWriter();
  writer.closed.catch(() => {}); // a write says the same
  return {
    readable: client.readable,
    write: (bytes) => writer.write(bytes.slice()),
    setNoDelay() {},
    close: () => void writer.close().catch(() => {}),
  };
}

/** Servers behind a listener in memory, each with its end. */
async function serving(options: H2Options) {
  const net = memoryTcp();
  const listener = await net.listen({ hostname: "127.0.0.1", port: 0 });
  const drivers: H2Driver[] = [];
  return {
    drivers,
    listener,
    /** A connection, and what its server said at its end. */
    async connect() {
      const client = net.connect();
      const socket = (await listener.accept())!;
      const h2 = new H2Connection("server", options);
      const driver = new H2Driver(socket, h2);
      drivers.push(driver);
      return { client, h2, ended: driver.run() };
    },
  };
}

/** Sends back what it gets. */
function echo(stream: H2Stream): void {
  const parts: Uint8Array[] = [];
  stream.sink = {
    data(bytes) {
      parts.push(bytes.slice());
      stream.consume(bytes.length);
      return false;
    },
    end() {
      stream.respond([[":status", "200"]]);
      for (const part of parts) stream.write(part);
      stream.end([["x-parts", `${parts.length}`]]);
    },
    gone() {},
  };
}

/** What a call of a client is answered. */
function call(h2: H2Connection, body: Uint8Array): Promise<Uint8Array> {
  const answer = Promise.withResolvers<Uint8Array>();
  const parts: Uint8Array[] = [];
  const stream = h2.request(FIELDS)!;
  stream.sink = {
    data(bytes) {
      parts.push(bytes.slice());
      stream.consume(bytes.length);
    },
    end: () => answer.resolve(joined(parts)),
    gone: (_, reason) => answer.reject(new Error(reason)),
  };
  stream.write(body);
  stream.end();
  return answer.promise;
}

describe("H2Driver", () => {
  it("joins two connections with their sockets, for several large calls at once", async () => {
    const server = await serving({ onStream: echo });
    const { client, ended } = await server.connect();
    const h2 = new H2Connection("client");
    const clientEnded = new H2Driver(socketOf(client), h2).run();
    const random = seeded(1);
    const bodies = [3_000_000, 1, 0, 500_000].map((length) => randomBytes(length, random));
    const answers = await Promise.all(bodies.map((body) => call(h2, body)));
    assertEquals(answers.map(checksum), bodies.map(checksum));
    h2.leave();
    assertEquals([await clientEnded, await ended], [undefined, undefined]);
    await client.closed;
  });

  it("takes what was read before", async () => {
    const { client, listener } = await (async () => {
      const net = memoryTcp();
      const listener = await net.listen({ hostname: "127.0.0.1", port: 0 });
      return { client: net.connect(), listener };
    })();
    const socket = (await listener.accept())!;
    let streams = 0;
    const h2 = new H2Connection("server", { onStream: () => streams++ });
    const ended = new H2Driver(socket, h2).run(bytes(hello(), frame(1, 4, 1, REQUEST)));
    assertEquals(streams, 1);
    await client.writable.close();
    assertEquals(await ended, undefined);
  });

  it("ends with what broke the connection, and tells the streams", async () => {
    const gone: string[] = [];
    const begun = Promise.withResolvers<void>();
    const server = await serving({
      onStream(stream) {
        begun.resolve();
        stream.sink = { data() {}, end() {}, gone: (_, reason) => gone.push(reason) };
      },
    });
    const { client, ended } = await server.connect();
    const writer = client.writable.getWriter();
    await writer.write(bytes(hello(), frame(1, 4, 1, REQUEST)));
    await begun.promise;
    client.reset(new Error("Connection reset by peer"));
    assertEquals((await ended)?.message, "Connection reset by peer");
    assertEquals(gone, ["Connection reset by peer"]);
  });

  it("says goodbye before it closes", async () => {
    const server = await serving({});
    const { client, ended } = await server.connect();
    const writer = client.writable.getWriter();
    writer.closed.catch(() => {});
    await writer.write(bytes("GET / HTTP/1.1\r\n\r\n"));
    assertStringIncludes((await ended)!.message, "PROTOCOL_ERROR");
    const got: Uint8Array[] = [];
    for await (const chunk of client.readable) got.push(chunk);
    assertEquals(frames(joined(got)).map(({ type }) => type), [4, 8, 7]);
    await client.closed;
  });

  /** A server that leaves while its one call goes on, and what its client reads. */
  async function leaving() {
    const begun = Promise.withResolvers<H2Stream>();
    const server = await serving({ onStream: begun.resolve });
    const { client, h2, ended } = await server.connect();
    const writer = client.writable.getWriter();
    writer.closed.catch(() => {});
    await writer.write(bytes(hello(), frame(1, 5, 1, REQUEST)));
    const stream = await begun.promise;
    h2.leave("the server ends");
    stream.respond([[":status", "200"]], true);
    return { client, writer, ended, tick: () => server.drivers[0]!.tick() };
  }

  it("lets the client close behind a goodbye, and reads what it still sends", async () => {
    const { client, writer, ended } = await leaving();
    const got: Uint8Array[] = [];
    const reader = client.readable.getReader();
    while (!frames(joined(got)).some(({ type, id }) => type === 1 && id === 1)) {
      got.push((await reader.read()).value!);
      await writer.write(frame(6, 0, 0, new Uint8Array(8)));
    }
    await writer.close();
    assertEquals(await ended, undefined);
    await client.closed;
  });

  it("closes behind a goodbye if the client does not", async () => {
    const { client, ended, tick } = await leaving();
    let isOver = false;
    ended.then(() => isOver = true);
    while (!isOver) {
      tick();
      await new Promise<void>((resolve) => setTimeout(resolve, 0));
    }
    assertEquals(await ended, undefined);
    await client.closed;
  });

  it("ends a peer that is silent and reads nothing, in bounds", async () => {
    let time = 0;
    const begun = Promise.withResolvers<H2Stream>();
    const server = await serving({ now: () => time, onStream: begun.resolve });
    const { client, h2, ended } = await server.connect();
    const writer = client.writable.getWriter();
    writer.closed.catch(() => {});
    const settings: [number, number] = [4, 2 ** 31 - 1];
    const more = frame(8, 0, 0, bytes(0x70, 0, 0, 0));
    await writer.write(bytes(hello(settings), more, frame(1, 5, 1, REQUEST)));
    const stream = await begun.promise;
    stream.respond([[":status", "200"]]);
    let done = 0;
    for (let i = 0; i < 100; i++) stream.write(new Uint8Array(100_000), () => done++);
    for (let i = 0; i < 40 && !h2.isClosed; i++) {
      time += 1000;
      server.drivers[0]!.tick();
      await new Promise<void>((resolve) => setTimeout(resolve, 0));
    }
    // What it does not read is given up, two looks later.
    server.drivers[0]!.tick();
    server.drivers[0]!.tick();
    assertInstanceOf(await ended, PeerSilent);
    await client.closed;
    while (done < 100) await new Promise<void>((resolve) => setTimeout(resolve, 0));
  });

  it("reads no more of a client that takes no answers", async () => {
    const server = await serving({
      onStream: (stream) => stream.respond([[":status", "200"], ["x", "y".repeat(1000)]], true),
    });
    const { client, h2 } = await server.connect();
    const writer = client.writable.getWriter();
    const writing = (async () => {
      await writer.write(hello());
      for (let id = 1; id < 1000; id += 2) await writer.write(frame(1, 5, id, REQUEST));
    })();
    // All that can happen has happened once its streams stay the same.
    for (let before = -1, same = 0; same < 20;) {
      await new Promise<void>((resolve) => setTimeout(resolve, 0));
      same = h2.streams === before ? same + 1 : 0;
      before = h2.streams;
    }
    assert(h2.isCongested && h2.streams < 400, `${h2.streams}`);
    const reader = client.readable.getReader();
    const reading = (async () => {
      while (!(await reader.read()).done);
    })();
    await writing;
    await writer.close();
    await reading;
    assertEquals(h2.streams, 500);
  });

  it("writes little at once while the peer is slow, and much once it has long been quick", async () => {
    const pool = new BufferPool();
    const sizes: number[] = [];
    const buffers = new Set<ArrayBufferLike>();
    let now = 0;
    let ms = 0;
    const socket: H2Socket = {
      readable: new ReadableStream(),
      write(bytes) {
        sizes.push(bytes.length);
        buffers.add(bytes.buffer);
        now += ms;
        return Promise.resolve();
      },
      setNoDelay() {},
      close() {},
    };
    const h2 = new H2Connection("client");
    const driver = new H2Driver(socket, h2, { pool, now: () => now });
    void driver.run();
    const stream = h2.request(FIELDS)!;
    // The widest windows, as a server's first frames.
    h2.push(frame(4, 0, 0, bytes(0, 4, u32(2 ** 31 - 1))));
    h2.push(frame(8, 0, 0, u32(2 ** 30)));
    /** The largest writes of so many bytes, in KiB. */
    const written = async (length: number) => {
      sizes.length = 0;
      await new Promise<void>((resolve) => stream.write(new Uint8Array(length), resolve));
      return Math.round(Math.max(...sizes) / 1024);
    };
    const MiB = 1024 * 1024;
    // Systems take as much as this at once for a slow peer, too.
    assertEquals(await written(4.4e6), 64);
    await written(5 * MiB);
    assertEquals(await written(2 * MiB), 512);
    ms = 21;
    await written(MiB);
    assertEquals(await written(MiB), 64);
    ms = 20;
    assertEquals(await written(4.4e6), 64);
    // Small writes, which any system takes at once, don't make it quick.
    for (let i = 0; i < 100; i++) await written(1000);
    assertEquals(await written(MiB), 64);
    await written(5 * MiB);
    assertEquals(await written(MiB), 512);
    // The memory of the last write is free again, and all of either size used the same.
    const next = () => new Promise<void>((resolve) => setTimeout(resolve, 0));
    while (pool.freeBytes < 512 * 1024) await next();
    assertEquals(pool.freeBytes, (512 + 64) * 1024);

    // Nor is any memory new for a peer that is slow again, however often it has taken all.
    ms = 21;
    await written(MiB);
    buffers.clear();
    for (let i = 0; i < 5; i++) {
      await written(61 * 1024);
      await next();
    }
    assertEquals(buffers.size, 1);
    assertEquals(pool.freeBytes, (512 + 64) * 1024);
  });

  it("ends no peer whose answer to a PING is late, while it takes what was sent before", async () => {
    let now = 0;
    let unsent = 4 * 1024 * 1024;
    const socket: H2Socket = {
      readable: new ReadableStream(),
      write: () => Promise.resolve(),
      unsentBytes: () => Promise.resolve(unsent),
      setNoDelay() {},
      close() {},
    };
    const h2 = new H2Connection("client", { now: () => now });
    const driver = new H2Driver(socket, h2, { now: () => now });
    void driver.run();
    h2.request(FIELDS);
    const wait = async (seconds: number, bytesPerSec: number) => {
      for (let i = 0; i < seconds; i++) {
        unsent -= bytesPerSec;
        now += 1000;
        driver.tick();
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    };
    await wait(200, 10_000);
    assertEquals(h2.isClosed, false);
    // It is gone, and what is written for it stays.
    await wait(45, -100);
    assertInstanceOf(h2.error, PeerSilent);
  });

  it("tells what it holds for a peer that takes nothing, and since when", async () => {
    let now = 5;
    let taken = Promise.withResolvers<void>();
    const writing: number[] = [];
    const socket: H2Socket = {
      readable: new ReadableStream(),
      write(bytes) {
        writing.push(bytes.length);
        return taken.promise;
      },
      setNoDelay() {},
      close() {},
    };
    const h2 = new H2Connection("client");
    const told: number[] = [];
    const pool = new BufferPool();
    const onHeld = () => told.push(driver.writeBytes);
    const driver: H2Driver = new H2Driver(socket, h2, { pool, now: () => now, onHeld });
    const next = () => new Promise<void>((resolve) => setTimeout(resolve, 0));
    const take = async () => {
      taken.resolve();
      taken = Promise.withResolvers();
      await next();
    };
    void driver.run();
    await next();
    assertEquals([driver.writeBytes, driver.writesSince], [writing[0], 5]);
    await take();
    assertEquals([driver.writeBytes, driver.writesSince, told.at(-1)], [0, undefined, 0]);
    h2.push(frame(4, 0, 0, bytes(0, 4, u32(2 ** 31 - 1))));
    h2.push(frame(8, 0, 0, u32(2 ** 30)));
    // Its settings are acknowledged.
    await next();
    await take();
    h2.request(FIELDS)!.write(new Uint8Array(100 * 1024));
    now = 6;
    await next();
    assertEquals([driver.writeBytes, driver.writesSince], [64 * 1024, 6]);
    now = 7;
    await take();
    // The rest.
    assertEquals([driver.writeBytes, driver.writesSince], [64 * 1024, 7]);
    await take();
    assertEquals([driver.writeBytes, driver.writesSince, told.at(-1)], [0, undefined, 0]);
    assertEquals(pool.freeBytes, 64 * 1024);
  });

  for (const [name, attack] of Object.entries(ATTACKS)) {
    it(`ends ${name}, and serves the next client meanwhile`, async () => {
      const server = await serving({ onStream: echo, now: () => 0 });
      const { client, ended } = await server.connect();
      const reading = (async () => {
        for await (const _ of client.readable);
      })().catch(() => {});
      const attacking = (async () => {
        const writer = client.writable.getWriter();
        writer.closed.catch(() => {});
        await writer.write(BEGINNING);
        for (const piece of attack()) await writer.write(piece);
      })().catch(() => {});
      const next = await server.connect();
      const h2 = new H2Connection("client");
      const nextEnded = new H2Driver(socketOf(next.client), h2).run();
      assertEquals(await call(h2, bytes("hello")), bytes("hello"));
      assertStringIncludes((await ended)!.message, "ENHANCE_YOUR_CALM");
      await Promise.all([reading, attacking]);
      assertEquals(await call(h2, bytes("again")), bytes("again"));
      h2.leave();
      assertEquals([await nextEnded, await next.ended], [undefined, undefined]);
    });
  }
});
