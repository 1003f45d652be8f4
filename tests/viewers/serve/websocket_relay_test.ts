import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { nodeHttp } from "../../../lib/adapters/http/node_http.ts";
import type { HttpRequestInfo, ViewerSocket } from "../../../lib/adapters/http/types.ts";
import { viewerGuard } from "../../../lib/viewers/serve/guard.ts";
import { viewerHub } from "../../../lib/viewers/hub.ts";
import {
  websocketRelay,
  type WebSocketRelayOptions,
} from "../../../lib/viewers/serve/websocket_relay.ts";
import type { ViewerHub } from "../../../lib/viewers/types.ts";
import { WebClient } from "../../contract/http_clients.ts";
import { concat } from "../../encoding/rrd_builder.ts";
import { TestClock, turn } from "../clock.ts";
import { captured, chunk, madeHub, realFrames, smart } from "../messages.ts";
import { payloads } from "../payloads.ts";

const MiB = 2 ** 20;

/** A socket whose peer takes as much as the test says. */
class TestSocket implements ViewerSocket {
  readonly sent: Uint8Array[] = [];
  bufferedBytes = 0;
  sentBytes = 0;
  end: { code: number; reason: string } | undefined;
  readonly #progressed: (() => void)[] = [];
  readonly #closed = Promise.withResolvers<void>();
  #isClosed = false;
  #progress: PromiseWithResolvers<void> | undefined;

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  send(bytes: Uint8Array): void {
    this.sent.push(bytes);
    this.bufferedBytes += bytes.length;
  }

  sendFrames(pieces: readonly Uint8Array[], done: () => void): void {
    for (const payload of payloads(concat(...pieces))) this.send(payload);
    // Sockets may use what they were given until now.
    this.#progressed.push(done);
  }

  progress(): Promise<void> {
    // As sockets do: nothing is waited for once it is closed.
    if (this.#isClosed) return Promise.resolve();
    return (this.#progress ??= Promise.withResolvers()).promise;
  }

  close(code: number, reason: string): void {
    this.end ??= { code, reason };
    this.leave();
  }

  /** The peer takes so many bytes. */
  take(bytes: number): void {
    this.bufferedBytes -= bytes;
    this.sentBytes += bytes;
    for (const done of this.#progressed.splice(0)) done();
    this.#progress?.resolve();
    this.#progress = undefined;
  }

  /** The peer leaves. */
  leave(): void {
    this.#isClosed = true;
    this.#closed.resolve();
    this.take(0);
  }
}

function connect(
  hub: ViewerHub,
  options: WebSocketRelayOptions = {},
  url = "http://localhost:9877/",
): { socket: TestSocket; status: number } {
  const socket = new TestSocket();
  const info: HttpRequestInfo = {
    remoteAddr: { hostname: "127.0.0.1", port: 5 },
    upgrade: () => ({ response: new Response(), socket: Promise.resolve(socket) }),
  };
  const { status } = websocketRelay(hub, options)(new Request(url), info);
  return { socket, status };
}

describe("the WebSocket relay", () => {
  for (const name of ["0.22.1-mixed", "0.22.1-blueprint"]) {
    it(`sends what the real server sent after ${name}, over real sockets`, async () => {
      const hub = viewerHub();
      const { addr, close } = await nodeHttp.serve({
        hostname: "127.0.0.1",
        port: 0,
        handshakeTimeoutSec: 10,
        maxConnections: 10,
        fetch: websocketRelay(hub),
        onError: (error) => {
          throw error;
        },
      });
      const all = captured(name);
      hub.write(all.map((msg) => smart(msg)));
      const client = new WebClient(addr);
      const frames = realFrames(name);
      assertEquals(await client.received(frames.length), frames);
      hub.write([smart(all.at(-1)!)]);
      assertEquals((await client.received(frames.length + 1)).length, frames.length + 1);
      const now = new WebClient(addr, "/?history=none");
      await now.opened;
      while (hub.stats.viewers.length < 2) await turn();
      hub.write([smart(all[0]!)]);
      assertEquals(await now.received(1), [hub.frame(all[0]!) as Uint8Array]);
      await hub.close();
      assertEquals((await client.closed).code, 1001);
      await close();
    });
  }

  it("sends what comes next only while less than 64 KiB wait", async () => {
    const hub = madeHub();
    const { socket } = connect(hub);
    hub.write(Array.from({ length: 20 }, (_, i) => smart(chunk(i, 80_000))));
    await turn();
    assertEquals(socket.sent.length, 3);
    socket.take(170_000);
    await turn();
    assertEquals(socket.sent.length, 3);
    socket.take(10_000);
    await turn();
    assertEquals(socket.sent.length, 6);
    assertEquals(hub.stats.viewers[0]!.sent.messages, 6);
    socket.leave();
    await turn();
    assertEquals(hub.stats.gone.left, 1);
  });

  it("sends large messages one at a time", async () => {
    const hub = madeHub();
    const { socket } = connect(hub);
    hub.write([smart(chunk(1, 40 * MiB)), smart(chunk(2, 40 * MiB))]);
    await turn();
    assertEquals(socket.sent.length, 1);
    socket.take(socket.bufferedBytes);
    await turn();
    assertEquals(socket.sent.length, 2);
    socket.leave();
  });

  it("leaves out what is above 64 MiB, and goes on", async () => {
    const hub = madeHub();
    const { socket } = connect(hub);
    hub.write([smart(chunk(1, 64 * MiB + 1000)), smart(chunk(2, 10))]);
    await turn();
    assertEquals(socket.sent, [hub.frame(chunk(2, 10)) as Uint8Array]);
    assertEquals(hub.stats.leftOut.tooLarge, 1);
    socket.leave();
  });

  it("cuts off who takes nothing for ten seconds, and nobody who takes a little", async () => {
    const clock = new TestClock();
    const hub = madeHub();
    const relay = websocketRelay(hub, { now: clock.now, every: clock.every });
    const sockets = [new TestSocket(), new TestSocket(), new TestSocket()] as const;
    for (const socket of sockets) {
      const upgraded = { response: new Response(), socket: Promise.resolve(socket) };
      relay(new Request("http://localhost/"), { upgrade: () => upgraded });
    }
    const [stalled, slow, quiet] = sockets;
    await turn();
    hub.write([smart(chunk(1, 100_000))]);
    await turn();
    quiet.take(quiet.bufferedBytes);
    for (let second = 0; second < 9; second++) {
      clock.pass(1000);
      slow.take(1);
    }
    await turn();
    assertEquals(stalled.end, undefined);
    clock.pass(2000);
    slow.take(1);
    await turn();
    assertEquals(stalled.end?.code, 1013);
    assert(stalled.end!.reason.startsWith("Stalled"), stalled.end!.reason);
    clock.pass(60_000);
    slow.take(1);
    await turn();
    assertEquals([slow.end?.code, quiet.end], [1013, undefined]);
    assertEquals(hub.stats.gone, { left: 0, stalled: 2, closed: 0, failed: 0 });
    quiet.leave();
    await turn();
    assertEquals(clock.timers, 0);
  });

  it("cuts off nobody who falls behind, and gives all that is kept once there is room", async () => {
    const hub = madeHub({ viewerQueueBytes: MiB, limitBytes: 5 * MiB });
    const { socket } = connect(hub);
    await turn();
    for (let i = 0; i < 80; i++) {
      hub.write([smart(chunk(i, 100_000))]);
      await turn();
    }
    // It has no more in its socket than it can take soon.
    assert(socket.bufferedBytes < MiB, `${socket.bufferedBytes}`);
    assertEquals(socket.end, undefined);
    const before = socket.sent.length;
    const { skipped } = hub.stats.viewers[0]!;
    assert(skipped.messages > 20, `${skipped.messages}`);
    for (let i = 0; i < 80; i++) {
      socket.take(socket.bufferedBytes);
      await turn();
    }
    assertEquals(socket.sent.length, 80 - skipped.messages);
    const newest = hub.frame(chunk(79, 100_000)) as Uint8Array;
    assertEquals(socket.sent.at(-1), newest);
    assert(before < 10, `${before}`);
    socket.leave();
  });

  it("gives one recording alone, or nothing of the past", async () => {
    const hub = madeHub();
    hub.write([smart(chunk(1, 10, "a")), smart(chunk(2, 10, "b"))]);
    const { socket } = connect(hub, {}, "http://localhost/?recording=b");
    const none = connect(hub, {}, "http://localhost/?history=none");
    await turn();
    assertEquals(socket.sent, [hub.frame(chunk(2, 10, "b")) as Uint8Array]);
    assertEquals(none.socket.sent, []);
    assertEquals(connect(hub, {}, "http://localhost/?history=some").status, 400);
  });

  it("leaves out what is older than the address says, and nothing by default", async () => {
    let nowMs = 0;
    const hub = madeHub({ now: () => nowMs });
    const all = connect(hub).socket;
    const fresh = connect(hub, {}, "http://localhost/?latency=500ms").socket;
    await turn();
    for (let i = 1; i <= 20; i++) {
      nowMs += 100;
      hub.write([smart(chunk(i, 300_000))]);
      await turn();
    }
    for (let i = 0; i < 25; i++) {
      for (const socket of [all, fresh]) socket.take(socket.bufferedBytes);
      await turn();
    }
    assertEquals(all.sent.length, 20);
    // One is in the socket, one was taken for it, and of the rest those that are young enough are sent.
    assert(fresh.sent.length >= 4 && fresh.sent.length < 10, `${fresh.sent.length}`);
    const { thinned } = hub.stats.viewers[1]!;
    assertEquals(thinned?.heavy.messages, 20 - fresh.sent.length);
    assertEquals(thinned?.shownFrames, fresh.sent.length);
    assertEquals(hub.stats.viewers[0]!.thinned, undefined);
    for (const latency of ["0s", "2", "x", "-1s"]) {
      assertEquals(connect(hub, {}, `http://localhost/?latency=${latency}`).status, 400);
    }
    for (const socket of [all, fresh]) socket.leave();
  });

  it("refuses whom the guard refuses, and who comes too late or is too many", async () => {
    const hub = madeHub({ maxViewers: 1 });
    const guard = viewerGuard({ token: "t" });
    assertEquals(connect(hub, {}, "http://evil.example/").status, 421);
    assertEquals(connect(hub, { guard }).status, 401);
    assertEquals(hub.stats.joined, 0);
    assertEquals(connect(hub, { guard }, "http://localhost/?token=t").status, 200);
    assertEquals(connect(hub).status, 503);
    await hub.close();
    assertEquals(connect(hub).status, 503);
  });
});
