import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { nodeHttp } from "../../lib/adapters/http/node_http.ts";
import type { NetAddr } from "../../lib/base/net_addr.ts";
import { websocketRelay } from "../../lib/viewers/serve/websocket_relay.ts";
import { dialBare, lines, UPGRADE } from "../contract/http_clients.ts";
import { CountingViewer } from "../soak/viewer_clients.ts";
import { captured, madeHub, smart } from "./messages.ts";

const ROUNDS = 60;

/** The short form of tests/soak/viewers.ts. */
describe("many viewers over real sockets", () => {
  it("get everything, though some take nothing and others only connect", async () => {
    const hub = madeHub();
    const { addr, close } = await nodeHttp.serve({
      hostname: "127.0.0.1",
      port: 0,
      handshakeTimeoutSec: 10,
      maxConnections: 1000,
      fetch: websocketRelay(hub),
      onError: (error) => {
        throw error;
      },
    });
    const idle = await Promise.all(Array.from({ length: 100 }, () => dialBare(addr)));
    const stalled = await Promise.all(Array.from({ length: 3 }, () => stall(addr)));
    const good = Array.from({ length: 10 }, () => new CountingViewer(addr.port));
    const batch = captured("0.22.1-mixed").map((msg) => smart(msg));
    hub.write(batch);
    await all(good, batch.length);
    assertEquals(hub.stats.viewers.length, 13);
    for (const viewer of good) viewer.begin();
    for (let round = 2; round <= ROUNDS; round++) {
      hub.write(batch);
      await all(good, round * batch.length);
    }
    const gaps = good.map(({ maxGapMs }) => maxGapMs);
    assert(Math.max(...gaps) < 1000, `gaps of ${gaps} ms`);
    assertEquals(hub.stats.gone, { left: 0, stalled: 0, closed: 0, failed: 0 });
    assertEquals(good.filter(({ others, closedAt }) => others > 0 || closedAt !== undefined), []);
    await hub.close();
    await Promise.all(good.map(({ closed }) => closed));
    for (const { socket } of [...idle, ...stalled]) socket.destroy();
    await close();
  });
});

/** A viewer that takes nothing. */
async function stall(addr: NetAddr) {
  const client = await dialBare(addr);
  client.socket.pause();
  client.socket.write(lines("GET / HTTP/1.1", "Host: localhost", ...UPGRADE));
  return client;
}

async function all(viewers: readonly CountingViewer[], count: number): Promise<void> {
  await Promise.all(viewers.map((viewer) => viewer.received(count, 20_000)));
}
