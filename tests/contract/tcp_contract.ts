/** What every {@linkcode TcpAdapter} keeps to. */
import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { describe, it } from "node:test";
import { TcpBindError } from "../../lib/base/errors.ts";
import type { TcpAdapter, TcpConnection, TcpListener } from "../../lib/adapters/tcp/types.ts";
import { randomPieces, seeded } from "../random.ts";
import { checksum, joined, randomBytes, readBytes } from "./streams.ts";
import type { Dial, TestClient } from "./tcp_clients.ts";

const ANY_PORT = { hostname: "127.0.0.1", port: 0 };

interface Pair {
  listener: TcpListener;
  client: TestClient;
  connection: TcpConnection;
}

export function tcpContract(adapter: TcpAdapter, dial: Dial): void {
  async function withPair(test: (pair: Pair) => Promise<void>): Promise<void> {
    const listener = await adapter.listen(ANY_PORT);
    const [connection, client] = await Promise.all([listener.accept(), dial(listener.addr)]);
    assert(connection);
    try {
      await test({ listener, client, connection });
    } finally {
      connection.close();
      listener.close();
      await client.closed;
    }
  }

  describe("a connection", () => {
    it("says where it comes from", () =>
      withPair(({ listener, client, connection }) => {
        assert(listener.addr.port > 0);
        assertEquals(listener.addr.hostname, "127.0.0.1");
        assertEquals(connection.remoteAddr, client.localAddr);
        return Promise.resolve();
      }));

    it("delivers bytes in order, in chunks of at most 512 KiB", () =>
      withPair(async ({ client, connection }) => {
        const random = seeded(1);
        const sent = randomBytes(3_000_000, random);
        const sending = (async () => {
          for (const piece of randomPieces(sent, random)) await client.write(piece);
          await client.write(sent); // and in one piece
          await client.end();
        })();
        const chunks = await readBytes(connection.readable);
        await sending;
        assertEquals(checksum(joined(chunks)), checksum(joined([sent, sent])));
        assert(chunks.every((chunk) => chunk.length > 0 && chunk.length <= 512 * 1024));
      }));

    it("never writes again to a chunk it delivered", () =>
      withPair(async ({ client, connection }) => {
        const random = seeded(2);
        const kept: Uint8Array[] = [];
        const sums: number[] = [];
        while (kept.length < 400) {
          const piece = randomBytes(1 + Math.floor(random() ** 4 * 200_000), random);
          const sending = client.write(piece);
          for (const chunk of await readBytes(connection.readable, piece.length)) {
            kept.push(chunk);
            sums.push(checksum(chunk));
          }
          await sending;
        }
        assertEquals(kept.map(checksum), sums);
      }));

    it("delivers all bytes before the end, if nobody read when it came", () =>
      withPair(async ({ client, connection }) => {
        const sent = randomBytes(60_000, seeded(3));
        await client.write(sent);
        await client.end();
        assertEquals(joined(await readBytes(connection.readable)), sent);
      }));

    it("delivers all bytes before a reset, then the error", () =>
      withPair(async ({ client, connection }) => {
        const sent = randomBytes(33_000, seeded(4));
        await client.write(sent.subarray(0, 1000));
        const first = await readBytes(connection.readable, 1000);
        await client.write(sent.subarray(1000));
        client.reset();
        await client.closed; // and has reached the server, before anybody reads
        const rest = await readBytes(connection.readable, 32_000);
        assertEquals(joined([...first, ...rest]), sent);
        const error = await assertRejects(() => readBytes(connection.readable), Error);
        assert(/reset/i.test(error.message), error.message);
      }));

    it("tells a waiting reader of a reset", () =>
      withPair(async ({ client, connection }) => {
        const reading = readBytes(connection.readable);
        client.reset();
        await assertRejects(() => reading, Error);
      }));

    it("loses nothing that comes for a reader who has left", () =>
      withPair(async ({ client, connection }) => {
        const hasty = connection.readable.getReader();
        const read = hasty.read();
        hasty.releaseLock();
        await assertRejects(() => read, TypeError);
        const sent = randomBytes(10_000, seeded(5));
        await client.write(sent.subarray(0, 5000));
        const ending = client.write(sent.subarray(5000)).then(() => client.end());
        assertEquals(joined(await readBytes(connection.readable)), sent);
        await ending;
      }));
  });

  describe("writing", () => {
    it("sends all bytes in order, which may change once it resolves", () =>
      withPair(async ({ client, connection }) => {
        connection.setNoDelay(true);
        const random = seeded(6);
        const sent = randomBytes(5_000_000, random);
        for (const piece of randomPieces(sent, random)) {
          const bytes = piece.slice();
          await connection.write(bytes);
          bytes.fill(0);
        }
        const whole = sent.slice(); // and in one piece, more than any buffer holds
        await connection.write(whole);
        whole.fill(0);
        const got = await client.received(2 * sent.length);
        assertEquals(checksum(got), checksum(joined([sent, sent])));
      }));

    it("goes on beside a read that waits", () =>
      withPair(async ({ client, connection }) => {
        const reading = readBytes(connection.readable, 1);
        await connection.write(Uint8Array.of(1, 2, 3));
        assertEquals(await client.received(3), Uint8Array.of(1, 2, 3));
        await client.write(Uint8Array.of(9));
        assertEquals(joined(await reading), Uint8Array.of(9));
      }));

    it("waits for a peer that does not read", () =>
      withPair(async ({ client, connection }) => {
        client.read(false);
        const sent = randomBytes(24_000_000, seeded(7));
        let isDone = false;
        const writing = connection.write(sent).then(() => isDone = true);
        // Long enough for a machine that would not wait; a slow one makes this test pass, never fail.
        for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 5));
        assertEquals(isDone, false);
        client.read(true);
        await writing;
        assertEquals(checksum(await client.received(sent.length)), checksum(sent));
      }));

    it("fails when this side closes, while it waits and afterwards", () =>
      withPair(async ({ client, connection }) => {
        client.read(false);
        const writing = assertRejects(() => connection.write(new Uint8Array(24_000_000)), Error);
        await new Promise((resolve) => setTimeout(resolve, 5));
        connection.close();
        await writing;
        await assertRejects(() => connection.write(Uint8Array.of(1)), Error);
        connection.setNoDelay(false);
        client.read(true);
      }));

    it("fails when the peer resets", () =>
      withPair(async ({ client, connection }) => {
        client.read(false);
        const writing = assertRejects(() => connection.write(new Uint8Array(24_000_000)), Error);
        const reading = assertRejects(() => readBytes(connection.readable), Error);
        client.reset();
        await writing;
        await reading;
        await assertRejects(() => connection.write(Uint8Array.of(1)), Error);
      }));
  });

  describe("reading without a stream", () => {
    const read = (connection: TcpConnection, into?: Uint8Array<ArrayBuffer>) => {
      assert(connection.read, "this adapter has no read");
      return connection.read(into);
    };

    it("delivers the bytes where they are wanted, or elsewhere, then nothing", () =>
      withPair(async ({ client, connection }) => {
        const sent = randomBytes(2_000_000, seeded(7));
        const sending = client.write(sent).then(() => client.end());
        const all = new Uint8Array(sent.length + 1);
        for (let at = 0; at <= sent.length;) {
          // Every other time a piece from its middle to somewhere in it is offered.
          const into = at % 2 ? all.subarray(at, at + 100_001) : undefined;
          const chunk = await read(connection, into);
          if (chunk === undefined) break;
          assert(chunk.length > 0 && chunk.length <= (into?.length ?? Infinity) + 512 * 1024);
          if (chunk.buffer !== all.buffer) all.set(chunk, at);
          else assertEquals([chunk.byteOffset, chunk.length <= into!.length], [at, true]);
          at += chunk.length;
        }
        await sending;
        assertEquals(checksum(all.subarray(0, -1)), checksum(sent));
        assertEquals(all.at(-1), 0);
        assertEquals(await read(connection), undefined);
      }));

    it("delivers all bytes before a reset, then the error", () =>
      withPair(async ({ client, connection }) => {
        const sent = randomBytes(33_000, seeded(8));
        await client.write(sent);
        client.reset();
        await client.closed;
        const chunks: Uint8Array[] = [];
        const error = await assertRejects(async () => {
          for (;;) chunks.push((await read(connection))!);
        }, Error);
        assertEquals(joined(chunks), sent);
        assert(/reset/i.test(error.message), error.message);
      }));

    it("ends when the connection is closed, even if bytes are left", () =>
      withPair(async ({ client, connection }) => {
        const reading = read(connection);
        connection.close();
        assertEquals(await reading, undefined);
        assertEquals(await read(connection), undefined);
        await client.closed;
      }));
  });

  describe("closing a connection", () => {
    it("ends a read that waits, and may be done twice", () =>
      withPair(async ({ client, connection }) => {
        const reader = connection.readable.getReader();
        const read = reader.read();
        connection.close();
        connection.close();
        assertEquals((await read).done, true);
        assertEquals((await reader.read()).done, true);
        await client.closed;
      }));

    it("ends the readable even if bytes are left", () =>
      withPair(async ({ client, connection }) => {
        await client.write(new Uint8Array(10_000));
        connection.close();
        assertEquals(await readBytes(connection.readable), []);
        connection.close();
        await client.closed;
      }));

    it("is also done by cancelling the readable", () =>
      withPair(async ({ client, connection }) => {
        await client.write(new Uint8Array(10_000));
        await readBytes(connection.readable, 1);
        await connection.readable.cancel();
        await client.closed;
        connection.close();
      }));

    it("is also done by cancelling a read that waits", () =>
      withPair(async ({ client, connection }) => {
        const reader = connection.readable.getReader();
        const read = reader.read();
        await reader.cancel();
        assertEquals((await read).done, true);
        await client.closed;
      }));

    it("may be done after the peer has left", () =>
      withPair(async ({ client, connection }) => {
        await client.end();
        assertEquals(await readBytes(connection.readable), []);
        connection.close();
        connection.close();
        await client.closed;
      }));
  });

  describe("a listener", () => {
    it("serves many clients at once", async () => {
      const listener = await adapter.listen(ANY_PORT);
      const random = seeded(6);
      const sums = new Map<number, number>();
      const clients = Array.from({ length: 100 }, async () => {
        const client = await dial(listener.addr);
        const sent = randomBytes(20_000, random);
        sums.set(client.localAddr.port, checksum(sent));
        await client.write(sent.subarray(0, 7));
        await client.write(sent.subarray(7));
        await client.end();
        await client.closed;
      });
      const serve = async ({ remoteAddr, readable, close }: TcpConnection) => {
        const received = joined(await readBytes(readable));
        close();
        assertEquals(checksum(received), sums.get(remoteAddr!.port));
      };
      const served: Promise<void>[] = [];
      while (served.length < clients.length) {
        const connection = await listener.accept();
        assert(connection);
        served.push(serve(connection));
      }
      await Promise.all([...served, ...clients]);
      listener.close();
    });

    it("goes on after clients that left before their turn", async () => {
      const listener = await adapter.listen(ANY_PORT);
      for (let i = 0; i < 20; i++) (await dial(listener.addr)).reset();
      const client = await dial(listener.addr);
      const [last] = await Promise.all([firstByte(listener), client.write(Uint8Array.of(9))]);
      assertEquals(last, Uint8Array.of(9));
      listener.close();
      await client.closed;
    });

    it("once closed, accepts nothing and leaves open connections alone", () =>
      withPair(async ({ listener, client, connection }) => {
        const waiting = listener.accept();
        listener.close();
        listener.close();
        assertEquals(await waiting, undefined);
        assertEquals(await listener.accept(), undefined);
        await client.write(Uint8Array.of(1, 2, 3));
        assertEquals(joined(await readBytes(connection.readable, 3)), Uint8Array.of(1, 2, 3));
        const next = await adapter.listen(listener.addr);
        assertEquals(next.addr, listener.addr);
        next.close();
      }));

    it("once closed, lets go of clients that it has not accepted", async () => {
      const listener = await adapter.listen(ANY_PORT);
      const client = await dial(listener.addr);
      listener.close();
      await client.closed;
    });

    it("says which address is taken, and by whom probably", async () => {
      const { addr, close } = await adapter.listen(ANY_PORT);
      const error = await assertRejects(() => adapter.listen(addr), TcpBindError);
      const begin = `Failed to bind TCP address "127.0.0.1:${addr.port}". ` +
        "Another Rerun instance is probably running. ";
      assertEquals(error.message.slice(0, begin.length), begin);
      assert(/Address already in use|EADDRINUSE/.test(error.message), error.message);
      assert(error.cause);
      close();
    });

    it("writes IPv6 addresses in brackets", async () => {
      // Where there is no IPv6, the first attempt fails: with the same text.
      const opened: TcpListener[] = [];
      const error = await assertRejects(async () => {
        opened.push(await adapter.listen({ hostname: "::1", port: 0 }));
        opened.push(await adapter.listen({ hostname: "::1", port: opened[0]!.addr.port }));
      }, TcpBindError);
      assertInstanceOf(error, TcpBindError);
      assertEquals(error.addr, `[::1]:${opened[0]?.addr.port ?? 0}`);
      for (const listener of opened) listener.close();
    });
  });
}

/** What the first client sends that sends anything. */
async function firstByte(listener: TcpListener): Promise<Uint8Array> {
  for (;;) {
    const connection = await listener.accept();
    assert(connection);
    const reading = readBytes(connection.readable, 1);
    const [chunk] = await reading.catch(() => []); // a reset, if the peer's leaving is told at all
    connection.close();
    if (chunk) return chunk;
  }
}
