/** What every {@linkcode HttpAdapter} keeps to with connections that somebody else accepted. */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { loadTcpAdapter } from "../../lib/adapters/load.ts";
import type { HttpAdapter, HttpServing } from "../../lib/adapters/http/types.ts";
import type { NetAddr } from "../../lib/base/net_addr.ts";
import { dialBare, lines } from "./http_clients.ts";

export function httpDoorContract(adapter: HttpAdapter): void {
  describe("a connection that is handed over", () => {
    /** A door behind a port of another protocol, which has read so many bytes already. */
    async function withDoor(
      serving: Partial<HttpServing> & Pick<HttpServing, "fetch">,
      test: (addr: NetAddr, over: Promise<void>[]) => Promise<void>,
    ): Promise<void> {
      const door = adapter.door({
        handshakeTimeoutSec: 10,
        maxConnections: 1000,
        onError: (error) => {
          throw error;
        },
        ...serving,
      });
      const listener = await (await loadTcpAdapter()).listen({ hostname: "127.0.0.1", port: 0 });
      const over: Promise<void>[] = [];
      const accept = async () => {
        for (;;) {
          const connection = await listener.accept();
          if (connection === undefined) return;
          const first = await connection.read!();
          if (first === undefined) connection.close();
          else over.push(door.take(connection, first as Uint8Array<ArrayBuffer>));
        }
      };
      const accepting = accept();
      try {
        await test(listener.addr, over);
      } finally {
        listener.close();
        await Promise.all([accepting, door.close()]);
        await Promise.all(over);
      }
    }

    it("is answered, request after request, with the client's address", async () => {
      const fetch: HttpServing["fetch"] = ({ url }, { remoteAddr }) =>
        new Response(`${url} for ${remoteAddr?.hostname}`);
      await withDoor({ fetch }, async (addr, over) => {
        const client = await dialBare(addr, lines("GET /a?b=c HTTP/1.1", "Host: robot:1"));
        await client.until(/http:\/\/robot:1\/a\?b=c for 127\.0\.0\.1/);
        client.socket.write(lines("GET /again HTTP/1.1", "Host: robot:1", "Connection: close"));
        await client.closed;
        assert(client.text().includes("http://robot:1/again for 127.0.0.1"), client.text());
        await Promise.all(over);
        assertEquals(over.length, 1);
      });
    });

    it("takes 100 calls one after the other, with a body each, and large answers", async () => {
      const fetch: HttpServing["fetch"] = async (request) => {
        const { length } = await request.bytes();
        return new Response(new Uint8Array(length * 100_000).fill(0x61));
      };
      await withDoor({ fetch }, async (addr, over) => {
        const client = await dialBare(addr);
        const call = lines(
          "POST /call HTTP/1.1",
          "Host: localhost",
          "Content-Type: application/grpc-web+proto",
          "Content-Length: 5",
        );
        let bytes = 0;
        client.socket.on("data", (data: Uint8Array) => bytes += data.length);
        for (let i = 0; i < 100; i++) {
          client.socket.write(call);
          client.socket.write(new Uint8Array(5));
          const before = bytes;
          while (bytes < before + 500_000) {
            await new Promise((resolve) => client.socket.once("data", resolve));
          }
        }
        assertEquals(over.length, 1);
        client.socket.destroy();
      });
    });

    it("tells an endless answer that its reader left", async () => {
      const left = Promise.withResolvers<void>();
      const fetch: HttpServing["fetch"] = () =>
        new Response(
          new ReadableStream({
            start: (controller) => controller.enqueue(new Uint8Array(10).fill(0x61)),
            cancel: () => left.resolve(),
          }),
        );
      await withDoor({ fetch }, async (addr) => {
        const client = await dialBare(addr, lines("GET /a?b=c HTTP/1.1", "Host: robot:1"));
        await client.until(/aaaaaaaaaa/);
        client.socket.destroy();
        await left.promise;
      });
    });

    it("is not read further than the answer goes out", async () => {
      let pulled = 0;
      const stopped = Promise.withResolvers<void>();
      const fetch: HttpServing["fetch"] = () =>
        new Response(
          new ReadableStream({
            pull(controller) {
              pulled++;
              controller.enqueue(new Uint8Array(1024 * 1024));
            },
            cancel: () => stopped.resolve(),
          }, { highWaterMark: 0 }),
        );
      await withDoor({ fetch }, async (addr) => {
        const client = await dialBare(addr, lines("GET /a?b=c HTTP/1.1", "Host: robot:1"));
        await client.until(/HTTP/);
        client.socket.pause();
        // Until it stands still, however much the system takes.
        for (let before = -1; before !== pulled;) {
          before = pulled;
          await new Promise((resolve) => setTimeout(resolve, 300));
        }
        assert(pulled < 64, `${pulled} MiB were made for a reader that takes none`);
        client.socket.destroy();
        await stopped.promise;
      });
    });

    it("has a deadline for its request, and for the request's body", async () => {
      const fetch: HttpServing["fetch"] = async (request) =>
        new Response(String((await request.bytes().catch(() => "cut")).length));
      await withDoor({ fetch, handshakeTimeoutSec: 0.2 }, async (addr) => {
        const silent = await dialBare(addr, "GET /");
        const slow = await dialBare(
          addr,
          lines(
            "POST / HTTP/1.1",
            "Host: localhost",
            "Content-Type: application/grpc-web+proto",
            "Content-Length: 5",
          ) + "abc",
        );
        await Promise.all([silent.closed, slow.closed]);
      });
    });
  });
}
