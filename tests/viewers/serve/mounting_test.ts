import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Hono } from "hono";
import {
  type BunWebSocket,
  httpApp,
  relaySocket,
  type RelayWebSocket,
  serveHttp,
  viewerHub,
  websocketRelay,
  type WrappedWebSocket,
} from "../../../lib/viewers/mod.ts";
import { viewerFrame } from "../../../lib/encoding/mod.ts";
import type { SmartMessage } from "../../../lib/flow/channel/smart_message.ts";
import { recorded } from "../../encoding/chunks/recorded.ts";

const page = {
  get: (path: string) =>
    Promise.resolve(
      path === "/"
        ? { type: "text/html", body: new Uint8Array([112]), size: 1, etag: '"1"' }
        : undefined,
    ),
};

function batchOf(): SmartMessage[] {
  const source = { kind: "tcp-client", id: 1 } as const;
  return recorded("0.22.1-timeonly").map((msg) => ({
    ...{ source, time: 0, payload: { type: "msg" as const, msg } },
  }));
}

describe("an app below a path", () => {
  it("redirects to its folder, and has addresses that are relative to it", async () => {
    const hub = viewerHub();
    await hub.write(batchOf());
    const outer = new Hono().get("/", (c) => c.text("outer"));
    outer.mount("/robot", httpApp({ hub, page, path: "/robot" }).fetch, { replaceRequest: false });
    const get = (path: string) => outer.request(`http://localhost${path}`);
    const redirect = await get("/robot?token=a");
    assertEquals([redirect.status, redirect.headers.get("location")], [308, "/robot/?token=a"]);
    assertEquals(await (await get("/robot/")).text(), "p");
    assertEquals(await (await get("/")).text(), "outer");
    const [recording] = await (await get("/robot/recordings")).json() as { url: string }[];
    assertEquals(recording!.url, "recordings/rec-timeonly.rrd");
    const stream = await get(`/robot/${recording!.url}?download=1`);
    assertEquals(stream.status, 200);
    await stream.body?.cancel();
    await hub.close();
  });

  it("says where it is to an app that mounts it elsewhere", async () => {
    const hub = viewerHub();
    const outer = new Hono().mount("/robot", httpApp({ hub, page, path: "/robot" }).fetch);
    const answer = await outer.request("http://localhost/robot/");
    assertEquals(answer.status, 404);
    assert((await answer.text()).includes("the app is below /robot/"));
    await hub.close();
  });

  it("redirects where serveHttp serves the app that mounts it, too", async () => {
    const hub = viewerHub();
    const outer = new Hono().mount("/robot", httpApp({ hub, page }).fetch);
    await using served = await serving({ fetch: outer.fetch });
    const answer = await fetch(`${served.url}/robot`, { redirect: "manual" });
    assertEquals([answer.status, answer.headers.get("location")], [308, "/robot/"]);
    await answer.body?.cancel();
    assertEquals(await (await fetch(`${served.url}/robot/`)).text(), "p");
    await hub.close();
  });
});

describe("serveHttp", () => {
  const echo = async (request: Request) => new Response(await request.text().catch(String));
  const post = (url: string, body: string) => fetch(url, { method: "POST", body });

  it("takes bodies where the app wants them, and no longer ones than it says", async () => {
    await using served = await serving({ fetch: echo, bodies: { maxBytes: 1000 } });
    assertEquals(await (await post(served.url, "hello")).text(), "hello");
    const long = await post(served.url, "x".repeat(1001)).catch(() => undefined);
    assert(long === undefined || long.status === 413);
    await long?.body?.cancel();
    const chunked = new Blob(["x".repeat(1001)]).stream();
    const init = { method: "POST", body: chunked, duplex: "half" } as RequestInit;
    const text = await fetch(served.url, init).then((answer) => answer.text(), () => "cut");
    assert(text !== "x".repeat(1001));
    assertEquals(await (await fetch(served.url)).text(), "");
  });

  it("takes none by default", async () => {
    await using served = await serving({ fetch: echo });
    const answer = await post(served.url, "hello");
    assertEquals(answer.status, 413);
    await answer.body?.cancel();
  });
});

describe("relaySocket", () => {
  it("sends what the hub has and gets, and closes with the hub", async () => {
    const hub = viewerHub();
    const batch = batchOf();
    await hub.write(batch);
    const socket = new FakeSocket();
    const over = relaySocket(hub, socket);
    socket.open();
    await hub.close();
    assertEquals(await over, "closed");
    const expected = batch.flatMap(({ payload }) =>
      payload.type === "msg" ? [viewerFrame(payload.msg)] : []
    );
    assertEquals(socket.got.length, expected.length);
    assertEquals(new Set(socket.got.map(String)), new Set(expected.map(String)));
    assertEquals(socket.farewell, [4001, "The server is stopping"]);
  });

  it("ends when the viewer leaves, and waits while much of what it sent was not taken", async () => {
    const hub = viewerHub();
    await hub.write(batchOf());
    const socket = new FakeSocket();
    socket.bufferedAmount = 1 << 20;
    let waits = 0;
    const over = relaySocket(hub, socket, {
      delay: () => {
        if (++waits === 3) socket.bufferedAmount = 0;
        return Promise.resolve();
      },
    });
    socket.open();
    while (socket.got.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    assertEquals(waits, 3);
    socket.leave();
    assertEquals(await over, "left");
    await hub.close();
  });

  it("refuses what is no WebSocket, and says so where the relay is asked without one", async () => {
    const hub = viewerHub();
    await assertRejects(() => relaySocket(hub, {} as RelayWebSocket), TypeError, "WebSocket");
    const mounted = new Hono().mount("/ws", websocketRelay(hub));
    const answer = await mounted.request("http://localhost/ws");
    assertEquals(answer.status, 501);
    assert((await answer.text()).includes("relaySocket(hub, socket)"));
    await hub.close();
  });
});

describe("an app that the runtime's own server serves", () => {
  it("relays to a WebSocket that it upgraded", async () => {
    const hub = viewerHub();
    const batch = batchOf();
    await hub.write(batch);
    const gone: string[] = [];
    const relay = async (socket: RelayWebSocket | BunWebSocket | WrappedWebSocket) =>
      void gone.push(await relaySocket(hub, socket));
    for (const isWrapped of [false, true]) {
      const served = serveUpgraded((socket) => relay(isWrapped ? { raw: socket } : socket));
      const got = await new Promise<number>((resolve, reject) => {
        const socket = new WebSocket(`ws://127.0.0.1:${served.port}/`);
        let messages = 0;
        socket.onerror = () => reject(new Error("it was refused"));
        socket.onmessage = () => {
          if (++messages < batch.length) return;
          socket.close();
          resolve(messages);
        };
      });
      assertEquals(got, batch.length);
      while (gone.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      assertEquals(gone.splice(0), ["left"]);
      await served.stop();
    }
    await hub.close();
  });

  it("is told how where it hands requests to websocketRelay", async () => {
    const hub = viewerHub();
    const served = serveFetch(websocketRelay(hub) as unknown as (request: Request) => Response);
    const answer = await fetch(`http://127.0.0.1:${served.port}/`, {
      headers: { connection: "upgrade", upgrade: "websocket" },
    });
    assertEquals(answer.status, 501);
    assert((await answer.text()).includes("relaySocket(hub, socket)"));
    await served.stop();
    await hub.close();
  });
});

/** As much of the runtimes' own servers as these tests use. */
interface Runtimes {
  readonly Deno?: {
    serve(options: object, fetch: (request: Request) => Response): {
      readonly addr: { readonly port: number };
      shutdown(): Promise<void>;
    };
    upgradeWebSocket(request: Request): {
      readonly socket: RelayWebSocket;
      readonly response: Response;
    };
  };
  readonly Bun: {
    serve(options: object): { readonly port: number; stop(now: boolean): Promise<void> };
  };
}

const { Deno: deno, Bun: bun } = globalThis as unknown as Runtimes;

function serveFetch(fetch: (request: Request) => Response) {
  if (deno !== undefined) {
    const server = deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, fetch);
    return { port: server.addr.port, stop: () => server.shutdown() };
  }
  const server = bun.serve({ port: 0, hostname: "127.0.0.1", fetch });
  return { port: server.port, stop: () => server.stop(true) };
}

/** A server that upgrades each request, as the runtime does it. */
function serveUpgraded(onOpen: (socket: RelayWebSocket | BunWebSocket) => void) {
  if (deno !== undefined) {
    return serveFetch((request) => {
      const { socket, response } = deno.upgradeWebSocket(request);
      onOpen(socket);
      return response;
    });
  }
  const server = bun.serve({
    ...{ port: 0, hostname: "127.0.0.1" },
    fetch: (request: Request, server: { upgrade(request: Request): boolean }) =>
      server.upgrade(request) ? undefined : new Response("no WebSocket", { status: 400 }),
    websocket: { open: onOpen, message: () => {} },
  });
  return { port: server.port, stop: () => server.stop(true) };
}

async function serving(options: Omit<Parameters<typeof serveHttp>[0], "port">) {
  const listener = await serveHttp({ ...options, port: 0 });
  return {
    url: `http://127.0.0.1:${listener.addr.port}`,
    [Symbol.asyncDispose]: () => listener.close(),
  };
}

class FakeSocket implements RelayWebSocket {
  readyState = 0;
  bufferedAmount = 0;
  binaryType = "";
  readonly got: Uint8Array[] = [];
  farewell: unknown[] | undefined;
  readonly #listeners: [string, () => void][] = [];

  send(bytes: Uint8Array): void {
    if (this.readyState !== 1) throw new Error("it is not open");
    this.got.push(bytes);
  }

  close(...farewell: unknown[]): void {
    this.farewell = farewell;
    this.readyState = 3;
  }

  addEventListener(event: string, listener: () => void): void {
    this.#listeners.push([event, listener]);
  }

  open(): void {
    this.readyState = 1;
    this.#tell("open");
  }

  leave(): void {
    this.readyState = 3;
    this.#tell("close");
  }

  #tell(event: string): void {
    for (const [name, listener] of this.#listeners) if (name === event) listener();
  }
}
