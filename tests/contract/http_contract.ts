/** What every {@linkcode HttpAdapter} keeps to. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "node:test";
import { MAX_HEAD_BYTES, OPCODE, writeFrameHead } from "../../lib/comms/websocket/frame_head.ts";
import { TcpBindError } from "../../lib/base/errors.ts";
import type {
  HttpAdapter,
  HttpListener,
  HttpOptions,
  ViewerSocket,
} from "../../lib/adapters/http/types.ts";
import {
  clientFrame,
  dialBare,
  lines,
  unfinishedFrame,
  UPGRADE,
  WebClient,
} from "./http_clients.ts";

type Served = HttpListener & { readonly url: string };

export function httpContract(adapter: HttpAdapter): void {
  async function withServer(
    options: Partial<HttpOptions> & Pick<HttpOptions, "fetch">,
    test: (server: Served) => Promise<void>,
  ): Promise<void> {
    const listener = await adapter.serve({
      hostname: "127.0.0.1",
      port: 0,
      handshakeTimeoutSec: 10,
      maxConnections: 1000,
      onError: (error) => {
        throw error;
      },
      ...options,
    });
    try {
      await test({ ...listener, url: `http://127.0.0.1:${listener.addr.port}` });
    } finally {
      await listener.close();
    }
  }

  /** Serves one WebSocket, and what the server has of it. */
  async function withSocket(
    test: (socket: ViewerSocket, client: WebClient, server: Served) => Promise<void>,
  ): Promise<void> {
    const socket = Promise.withResolvers<ViewerSocket>();
    const fetch: HttpOptions["fetch"] = (_, info) => {
      const upgraded = info.upgrade();
      upgraded?.socket.then(socket.resolve);
      return upgraded?.response ?? new Response("no WebSocket");
    };
    await withServer({ fetch }, async (server) => {
      const client = new WebClient(server.addr);
      await client.opened;
      await test(await socket.promise, client, server);
    });
  }

  const request = (...more: string[]) => lines("GET /a?b=c HTTP/1.1", "Host: robot:1", ...more);

  describe("a request", () => {
    it("is passed on as it came, with the client's address", async () => {
      const fetch: HttpOptions["fetch"] = ({ method, url, headers }, { remoteAddr }) =>
        Response.json({ method, url, x: headers.get("x-y"), from: remoteAddr?.hostname });
      await withServer({ fetch }, async ({ addr }) => {
        const client = await dialBare(addr, request("X-Y: z", "Connection: close"));
        await client.closed;
        const [head = "", body = ""] = client.text().split("\r\n\r\n");
        assert(head.startsWith("HTTP/1.1 200 OK\r\n"), head);
        assert(body.includes('{"method":"GET","url":"http://robot:1/a?b=c","x":"z"'), body);
        assert(body.includes('"from":"127.0.0.1"'), body);
      });
    });

    it("is answered once the one before it is, where a client does not wait", async () => {
      const asked: string[] = [];
      const first = Promise.withResolvers<ReadableStreamDefaultController<Uint8Array>>();
      const fetch: HttpOptions["fetch"] = ({ url }) => {
        asked.push(new URL(url).pathname);
        if (asked.length > 1) return new Response(`no ${asked.length}`);
        return new Response(new ReadableStream({ start: first.resolve }));
      };
      await withServer({ fetch }, async ({ addr }) => {
        const get = (path: string) => lines(`GET ${path} HTTP/1.1`, "Host: robot:1");
        const client = await dialBare(addr, get("/1") + get("/2") + get("/3"));
        const controller = await first.promise;
        controller.enqueue(new TextEncoder().encode("begun"));
        await client.until(/begun/);
        assertEquals(asked, ["/1"]);
        controller.close();
        await client.until(/no 2[^]*no 3/);
        assertEquals(asked, ["/1", "/2", "/3"]);
        client.socket.destroy();
      });
    });

    it("is one of a hundred at most that a client sends before it was answered", async () => {
      let asked = 0;
      const fetch: HttpOptions["fetch"] = () => {
        asked++;
        return new Response(new ReadableStream());
      };
      await withServer({ fetch }, async ({ addr }) => {
        const client = await dialBare(addr, request().repeat(200));
        await client.closed;
        assertEquals(asked, 1);
      });
    });

    it("with HEAD gets headers alone", async () => {
      let cancelled = false;
      const body = () => new ReadableStream({ cancel: () => void (cancelled = true) });
      await withServer({ fetch: () => new Response(body()) }, async ({ url }) => {
        const response = await fetch(url, { method: "HEAD" });
        assertEquals([response.status, await response.text()], [200, ""]);
        assert(cancelled);
      });
    });

    it("may be followed by others on its connection", async () => {
      await withServer({ fetch: ({ url }) => new Response(url) }, async ({ addr }) => {
        const client = await dialBare(addr);
        for (const path of ["/first", "/second", "/third"]) {
          client.socket.write(lines(`GET ${path} HTTP/1.1`, "Host: robot:1"));
          await client.until(new RegExp(`http://robot:1${path}\\r\\n0\\r\\n\\r\\n$`));
        }
        client.socket.destroy();
      });
    });

    it("may have its whole address behind the method, as proxies write it", async () => {
      const fetch = ({ url, headers }: Request) =>
        new Response(`${url} ${headers.get("host")} end`);
      await withServer({ fetch }, async ({ addr }) => {
        for (
          const [asked, host, expected] of [
            ["http://a:1/x?y=z", "a:1", "http://a:1/x?y=z a:1 end"],
            ["HTTP://A/x", "a:80", "http://a/x A end"],
            ["http://localhost:1/x", "127.0.0.1:1", "http://localhost:1/x localhost:1 end"],
            ["http://evil/x", "a", "http://evil/x evil end"],
            ["http://a", "a", "http://a/ a end"],
            ["http://a?b", "a", "http://a/?b a end"],
            [
              "http://[fe80::1%25eth0]:1/",
              "[fe80::1]:1",
              "http://[fe80::1]:1/ [fe80::1%25eth0]:1 end",
            ],
          ] as const
        ) {
          const client = await dialBare(
            addr,
            lines(`GET ${asked} HTTP/1.1`, `Host: ${host}`, "Connection: close"),
          );
          const text = await client.until(/ end/);
          assert(text.includes(`\n${expected}`) || text.includes(expected), `${asked}: ${text}`);
          client.socket.destroy();
        }
      });
    });

    it("may name the link that its host is of", async () => {
      await withServer({ fetch: ({ url }: Request) => new Response(url) }, async ({ addr }) => {
        const client = await dialBare(
          addr,
          lines("GET /x HTTP/1.1", "Host: [fe80::1%eth0]:1", "Connection: close"),
        );
        await client.until(/http:\/\/\[fe80::1\]:1\/x/);
        client.socket.destroy();
      });
    });

    it("that fetch fails at gets status 500, and the error is told", async () => {
      const errors: unknown[] = [];
      const options = {
        fetch: () => Promise.reject(new Error("broken")),
        onError: (error: unknown) => void errors.push(error),
      };
      await withServer(options, async ({ url }) => {
        const response = await fetch(url);
        assertEquals(response.status, 500);
        assertEquals(response.headers.get("content-type"), "text/plain; charset=utf-8");
        assert(!(await response.text()).includes("broken"));
        assertEquals(errors.map(String), ["Error: broken"]);
      });
    });

    for (
      const [what, status, sent] of [
        ["a body", 413, lines("POST / HTTP/1.1", "Host: a", "Content-Length: 9000000000") + "abc"],
        ["a chunked body", 413, lines("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked")],
        ["17 KiB of headers", 431, request(`X-Y: ${"z".repeat(17 * 1024)}`)],
        ["17 KiB of headers without an end", 431, `GET / HTTP/1.1\r\nX: ${"z".repeat(17 * 1024)}`],
        ["17 KiB of an address without an end", 431, `GET /${"z".repeat(17 * 1024)}`],
        ["1 MiB of headers", 431, request(`X-Y: ${"z".repeat(2 ** 20)}`)],
        ["no sense", 400, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
        ["an address of another kind", 400, lines("GET ftp://a/ HTTP/1.1", "Host: a")],
        ["an address of nobody", 400, lines("GET http:/// HTTP/1.1", "Host: a")],
        ["an address over TLS", 400, lines("GET https://a/ HTTP/1.1", "Host: a")],
        ["an address with a name in it", 400, lines("GET http://b@a/ HTTP/1.1", "Host: a")],
        ["a host that is none", 400, lines("GET / HTTP/1.1", "Host: a b:c@d")],
        ["TRACE", 405, lines("TRACE / HTTP/1.1", "Host: a")],
      ] as const
    ) {
      it(`with ${what} is refused with ${status}`, async () => {
        const asked: string[] = [];
        const fetch = ({ url }: Request) => {
          asked.push(url);
          return new Response("no");
        };
        await withServer({ fetch }, async ({ addr }) => {
          const client = await dialBare(addr, sent);
          await client.until(new RegExp(`^HTTP/1\\.1 ${status} `));
          assertEquals(asked, []);
          client.socket.destroy();
        });
      });
    }
  });

  describe("a peer that asks for nothing", () => {
    const fetch = () => new Response("hello");

    for (
      const [what, sent, more] of [
        ["says nothing", "", ""],
        ["stops inside the headers", "GET / HTTP/1.1\r\nHost: a\r\n", ""],
        ["trickles", "GET / HTTP/1.1\r\nHost: a\r\nX-Y: ", "z"],
      ] as const
    ) {
      it(`and ${what} is closed at the deadline`, () =>
        withServer({ fetch, handshakeTimeoutSec: 0.4 }, async ({ addr }) => {
          const start = performance.now();
          const client = await dialBare(addr, sent);
          const trickle = setInterval(() => client.socket.write(more), 50);
          await client.closed;
          clearInterval(trickle);
          const waited = performance.now() - start;
          assert(waited > 300 && waited < 5000, `closed after ${waited} ms`);
        }));
    }

    it("is closed before it is heard where its address may not connect", async () => {
      const asked: (string | undefined)[] = [];
      const isAllowed = (hostname: string | undefined) => {
        asked.push(hostname);
        return asked.length > 1;
      };
      await withServer({ fetch, isAllowed, handshakeTimeoutSec: 60 }, async ({ addr }) => {
        const refused = await dialBare(addr);
        await refused.closed;
        const client = await dialBare(addr, request("Connection: close"));
        await client.until(/hello/);
        assertEquals(asked, ["127.0.0.1", "127.0.0.1"]);
        assertEquals(refused.text(), "");
      });
    });

    for (
      const [what, isAllowed, expected] of [
        ["throws", () => {
          throw new Error("no list");
        }, ["Error: no list"]],
        ["gives a promise", (() => Promise.resolve(true)) as unknown as () => boolean, []],
      ] as const
    ) {
      it(`is closed, and no program is ended, where the test of its address ${what}`, async () => {
        const errors: unknown[] = [];
        const onError = (error: unknown) => errors.push(error);
        const options = { fetch, isAllowed, onError, handshakeTimeoutSec: 60 };
        await withServer(options, async ({ addr }) => {
          for (let i = 1; i <= 2; i++) {
            const refused = await dialBare(addr, request("Connection: close"));
            await refused.closed;
            assertEquals(refused.text(), "");
          }
        });
        assertEquals(errors.map(String), [...expected, ...expected]);
      });
    }

    it("makes room for others, the oldest first", () =>
      withServer({ fetch, maxConnections: 3 }, async ({ addr }) => {
        const silent = [await dialBare(addr), await dialBare(addr), await dialBare(addr)];
        const client = await dialBare(addr, request("Connection: close"));
        await client.until(/hello/);
        await silent[0]!.closed;
        assertEquals(silent.map(({ socket }) => socket.destroyed), [true, false, false]);
        for (const { socket } of silent) socket.destroy();
      }));
  });

  describe("a streamed body", () => {
    /** Counts what is pulled of it. */
    function stream(chunk: Uint8Array, limit = Infinity) {
      const cancelled = Promise.withResolvers<void>();
      const state = { pulled: 0, cancelled: cancelled.promise };
      const body = new ReadableStream<Uint8Array>({
        async pull(controller) {
          if (state.pulled === limit) await new Promise(() => {});
          state.pulled++;
          controller.enqueue(chunk);
        },
        cancel: () => cancelled.resolve(),
      }, { highWaterMark: 0 });
      return { state, body };
    }

    it("is pulled only as fast as the client takes it", async () => {
      const chunk = new Uint8Array(65536);
      const { state, body } = stream(chunk);
      await withServer({ fetch: () => new Response(body) }, async ({ addr }) => {
        const client = await dialBare(addr);
        client.socket.pause();
        client.socket.write(request());
        await settled(() => state.pulled);
        assert(state.pulled > 0 && state.pulled < 500, `pulled ${state.pulled} times unread`);
        const before = state.pulled;
        client.socket.resume();
        await waitUntil(() => state.pulled > before + 100);
        client.socket.destroy();
        await state.cancelled;
      });
    });

    it("is cancelled when the client leaves, though nothing is written", async () => {
      const { state, body } = stream(Uint8Array.of(65), 1);
      await withServer({ fetch: () => new Response(body) }, async ({ addr }) => {
        const client = await dialBare(addr, request());
        await client.until(/A/);
        client.socket.end();
        await state.cancelled;
      });
    });

    it("is not cut by silence", async () => {
      let write = (_: string) => {};
      const body = new ReadableStream({
        start: (controller) => write = (text) => controller.enqueue(new TextEncoder().encode(text)),
      });
      const options = { fetch: () => new Response(body), handshakeTimeoutSec: 0.2 };
      await withServer(options, async ({ addr }) => {
        const client = await dialBare(addr, request());
        await client.until(/200 OK/);
        write("first");
        await client.until(/first/);
        await delay(600);
        write("last");
        await client.until(/last/);
        client.socket.destroy();
      });
    });

    it("that errors cuts the connection, so that nobody takes it for whole", async () => {
      const body = () =>
        new ReadableStream({
          start: (controller) => controller.enqueue(new TextEncoder().encode("begin")),
          pull: (controller) => delay(20).then(() => controller.error(new Error("over"))),
        }, { highWaterMark: 0 });
      await withServer({ fetch: () => new Response(body()) }, async ({ addr }) => {
        const client = await dialBare(addr, request());
        await client.closed;
        assert(client.text().includes("begin"));
        assert(!client.text().endsWith("0\r\n\r\n"));
      });
    });
  });

  describe("a WebSocket", () => {
    it("delivers messages of any length in order, unchanged", () =>
      withSocket(async (socket, client) => {
        const lengths = [0, 1, 125, 126, 16_383, 16_384, 65_535, 65_536, 65_537, 3_000_000, 7];
        const sent = lengths.map((length) =>
          Uint8Array.from({ length }, (_, i) => i * length >> 3)
        );
        for (const bytes of sent) socket.send(bytes);
        assertEquals(await client.received(sent.length), sent);
      }));

    it("delivers messages of 40 and 60 MiB", () =>
      withSocket(async (socket, client) => {
        for (const mebibytes of [40, 60]) {
          const bytes = new Uint8Array(mebibytes * 2 ** 20);
          bytes[bytes.length - 1] = mebibytes;
          socket.send(bytes);
        }
        const received = await client.received(2);
        assertEquals(received.map(({ length }) => length / 2 ** 20), [40, 60]);
        assertEquals(received.map((bytes) => bytes.at(-1)), [40, 60]);
        assertEquals(socket.bufferedBytes, 0);
      }));

    it("says what waits, and when some of it is gone", async () => {
      const opened = Promise.withResolvers<ViewerSocket>();
      const fetch: HttpOptions["fetch"] = (_, info) => {
        const { response, socket } = info.upgrade()!;
        socket.then(opened.resolve);
        return response;
      };
      await withServer({ fetch }, async ({ addr }) => {
        const client = await dialBare(addr, request(...UPGRADE));
        const socket = await opened.promise;
        client.socket.pause();
        await socket.progress();
        const total = 32 * 2 ** 20;
        socket.send(new Uint8Array(total));
        await settled(() => socket.bufferedBytes);
        const waiting = socket.bufferedBytes;
        assert(waiting > total / 4 && waiting < total + 100, `${waiting} bytes wait`);
        const progress = socket.progress();
        client.socket.resume();
        await progress;
        assert(socket.bufferedBytes < waiting);
        await waitUntil(() => socket.bufferedBytes === 0);
        assert(socket.sentBytes > total && socket.sentBytes < total + 100);
        client.socket.destroy();
        await socket.closed;
      });
    });

    it("whose client breaks off while much is sent lets go of all, and harms nobody else", async () => {
      const opened: ViewerSocket[] = [];
      const fetch: HttpOptions["fetch"] = (_, info) => {
        const { response, socket } = info.upgrade()!;
        socket.then((each) => opened.push(each));
        return response;
      };
      await withServer({ fetch }, async ({ addr }) => {
        const honest = new WebClient(addr);
        await waitUntil(() => opened.length === 1);
        const body = Uint8Array.from({ length: 2_000_000 }, (_, i) => i >> 4);
        const head = new Uint8Array(MAX_HEAD_BYTES);
        writeFrameHead(head, 0, OPCODE.binary, body.length);
        const rounds = 20;
        let done = 0;
        for (let i = 1; i <= rounds; i++) {
          const leaving = await dialBare(addr, request(...UPGRADE));
          await waitUntil(() => opened.length === 1 + i);
          leaving.socket.once("data", () => leaving.socket.destroy());
          // More than the system takes, and shared as the hub's frames are.
          const pieces = Array.from({ length: 8 }, () => [head, body]).flat();
          opened[i]!.sendFrames(pieces, () => done++);
          opened[0]!.sendFrames([head, body], () => done++);
          await Promise.all([leaving.closed, opened[i]!.closed]);
          assertEquals(opened[i]!.bufferedBytes, 0);
          opened[i]!.sendFrames(pieces, () => done++);
        }
        const received = await honest.received(rounds);
        assert(received.every((each) => each.length === body.length));
        assertEquals(received.at(-1), body);
        await waitUntil(() => done === 3 * rounds);
        honest.close();
      });
    });

    it("is closed by the server with a code and a reason", () =>
      withSocket(async (socket, client) => {
        socket.send(Uint8Array.of(1));
        socket.close(1013, `too slow ${"é".repeat(100)}`);
        socket.close(1000, "");
        socket.send(Uint8Array.of(2));
        const { code, reason } = await client.closed;
        assertEquals(code, 1013);
        assertEquals(reason, `too slow ${"é".repeat(57)}`); // 123 bytes
        assertEquals(client.messages, [Uint8Array.of(1)]);
        await socket.closed;
      }));

    it("tells when the client closes it", () =>
      withSocket(async (socket, client) => {
        client.close();
        await Promise.all([socket.closed, client.closed]);
        socket.close(1000, "");
      }));

    it("has no compression, and the server sends nothing by itself but pongs", async () => {
      const fetch: HttpOptions["fetch"] = (_, info) => info.upgrade()!.response;
      await withServer({ fetch, handshakeTimeoutSec: 0.2 }, async ({ addr }) => {
        const client = await dialBare(addr, request(...UPGRADE));
        const head = await client.until(/\r\n\r\n$/);
        assert(head.startsWith("HTTP/1.1 101 Switching Protocols\r\n"), head);
        assert(head.includes("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), head);
        assert(!/extensions/i.test(head), head);
        await delay(600);
        assertEquals(client.text(), head);
        client.socket.write(clientFrame(9, Uint8Array.of(65, 66)));
        await client.until(/\r\n\r\n..AB$/);
        assert(client.text().endsWith("\x8a\x02AB"));
        client.socket.write(clientFrame(8, Uint8Array.of(3, 232)));
        await client.closed;
        assert(client.text().endsWith("\x88\x02\x03\xe8"));
      });
    });

    for (
      const [what, code, sent] of [
        ["sends too long a message", 1009, unfinishedFrame(2, new Uint8Array(60_000))],
        ["does not mask", 1002, Uint8Array.of(0x89, 0)],
        ["uses an extension", 1002, Uint8Array.of(0xc2, 0x80, 0, 0, 0, 0)],
      ] as const
    ) {
      it(`is closed with ${code} for a client that ${what}`, async () => {
        const fetch: HttpOptions["fetch"] = (_, info) => info.upgrade()!.response;
        await withServer({ fetch }, async ({ addr }) => {
          const client = await dialBare(addr, request(...UPGRADE));
          await client.until(/\r\n\r\n$/);
          client.socket.write(sent);
          client.socket.write(sent);
          await client.closed;
          const [, frame = ""] = client.text().split("\r\n\r\n");
          assertEquals(
            [...frame.slice(0, 4)].map((c) => c.charCodeAt(0)).filter((_, i) => i !== 1),
            [
              0x88,
              code >> 8,
              code & 255,
            ],
          );
        });
      });
    }

    it("may be refused with any answer", async () => {
      const fetch = () => new Response("not you", { status: 403, headers: { "x-y": "z" } });
      await withServer({ fetch }, async ({ addr }) => {
        const client = await dialBare(addr, request(...UPGRADE));
        await client.closed;
        assert(
          /^HTTP\/1\.1 403 Forbidden\r\n[^]*x-y: z\r\n[^]*\r\n\r\nnot you$/.test(client.text()),
        );
      });
    });

    it("is none where the client asked for something else", async () => {
      const fetch: HttpOptions["fetch"] = (_, info) => new Response(String(info.upgrade()));
      await withServer({ fetch }, async ({ addr }) => {
        for (const more of [["Upgrade: h2c", "Connection: Upgrade"], UPGRADE.slice(0, 3)]) {
          const client = await dialBare(addr, request(...more));
          await client.closed;
          assert(/^HTTP\/1\.1 200 [^]*\r\n\r\nundefined$/.test(client.text()), client.text());
        }
      });
    });
  });

  describe("a listener", () => {
    it("closes soon, whatever its clients do", async () => {
      const sockets: ViewerSocket[] = [];
      const fetch: HttpOptions["fetch"] = (_, info) => {
        const upgraded = info.upgrade();
        upgraded?.socket.then((socket) => {
          sockets.push(socket);
          socket.send(new Uint8Array(2 ** 24));
        });
        return upgraded?.response ?? new Response(new ReadableStream());
      };
      await withServer({ fetch }, async (server) => {
        const stalled = await dialBare(server.addr);
        stalled.socket.pause();
        stalled.socket.write(request(...UPGRADE));
        const silent = await dialBare(server.addr);
        const reading = await dialBare(server.addr, request());
        await reading.until(/200 OK/);
        const viewer = new WebClient(server.addr);
        await viewer.received(1);
        const start = performance.now();
        await server.close();
        const waited = performance.now() - start;
        // Whoever waited for them would wait for ever.
        assert(waited < 10_000, `closed after ${waited} ms`);
        assertEquals((await viewer.closed).code, 1001);
        stalled.socket.resume();
        await Promise.all([stalled.closed, silent.closed, reading.closed]);
        const next = await adapter.serve({
          ...server.addr,
          fetch,
          handshakeTimeoutSec: 1,
          maxConnections: 1,
          onError: () => {},
        });
        await next.close();
      });
    });

    it("says which address is taken", () =>
      withServer({ fetch: () => new Response() }, async ({ addr }) => {
        const taken = adapter.serve({
          ...addr,
          fetch: () => new Response(),
          handshakeTimeoutSec: 1,
          maxConnections: 1,
          onError: () => {},
        });
        const error = await assertRejects(() => taken, TcpBindError);
        assertEquals(error.addr, `127.0.0.1:${addr.port}`);
        assert(error.message.includes("Another Rerun instance is probably running"), error.message);
      }));
  });
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function waitUntil(done: () => boolean): Promise<void> {
  while (!done()) await delay(5);
}

/** Waits until a number has stood still for a while. */
async function settled(read: () => number): Promise<void> {
  for (let last = -1, same = 0; same < 10;) {
    await delay(20);
    const now = read();
    same = now === last && now > 0 ? same + 1 : 0;
    last = now;
  }
}
