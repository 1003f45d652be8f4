import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { nodeHttp } from "../../lib/adapters/http/node_http.ts";
import { RrdDecoder } from "../../lib/encoding/rrd/rrd_decoder.ts";
import { httpApp } from "../../lib/viewers/serve/http_app.ts";
import { websocketRelay } from "../../lib/viewers/serve/websocket_relay.ts";
import { chunk, madeHub, smart } from "../viewers/messages.ts";
import { SlowLink } from "./slow_link.ts";
import { CountingViewer } from "./viewer_clients.ts";

const MiB = 2 ** 20;
const MESSAGES = 50;

function served(fetch: Parameters<typeof nodeHttp.serve>[0]["fetch"]) {
  return nodeHttp.serve({
    hostname: "127.0.0.1",
    port: 0,
    handshakeTimeoutSec: 10,
    maxConnections: 100,
    fetch,
    onError: (error) => {
      throw error;
    },
  });
}

/** The short form of tests/soak/links.ts. */
describe("a burst over slow links", () => {
  it("reaches every viewer whole, through each door", { timeout: 60_000 }, async () => {
    const hub = madeHub({ limitBytes: 256 * MiB });
    const relay = await served(websocketRelay(hub));
    const app = httpApp({ hub });
    const page = await served((request, info) => app.fetch(request, info));
    hub.write([smart(chunk(0, 1000))]);
    const rates = [15e6, 30e6, 100e6];
    const links = await Promise.all(
      rates.flatMap((bytesPerSec) =>
        [relay, page].map(({ addr }) => SlowLink.open(addr.port, { bytesPerSec, delayMs: 20 }))
      ),
    );
    const viewers = links.filter((_, i) => i % 2 === 0).map(({ port }) => new CountingViewer(port));
    const streams = links.filter((_, i) => i % 2 > 0).map(async ({ port }) => {
      const { body } = await fetch(`http://127.0.0.1:${port}/stream.rrd`);
      const decoder = new RrdDecoder();
      let count = 0;
      for await (const bytes of body!) {
        count += decoder.push(bytes).items.length;
        if (count > MESSAGES) return count;
      }
      throw new Error(`a stream ended after ${count} messages`);
    });
    await Promise.all(viewers.map((viewer) => viewer.received(1, 10_000)));
    // More than waited for a viewer before, and all at once.
    hub.write(Array.from({ length: MESSAGES }, (_, i) => smart(chunk(i + 1, 1_200_000))));
    const started = performance.now();
    await Promise.all(viewers.map((viewer) => viewer.received(MESSAGES + 1, 30_000)));
    const tookMs = performance.now() - started;
    assertEquals(await Promise.all(streams), rates.map(() => MESSAGES + 1));
    assert(tookMs > 3000, `the links were not slow: ${tookMs} ms`);
    const { stalled, closed, failed } = hub.stats.gone;
    assertEquals({ stalled, closed, failed }, { stalled: 0, closed: 0, failed: 0 });
    assertEquals(
      hub.stats.viewers.map(({ skipped }) => skipped.messages),
      hub.stats.viewers.map(() => 0),
    );
    assertEquals(viewers.filter(({ closedAt }) => closedAt !== undefined), []);
    await hub.close();
    for (const link of links) link.close();
    await Promise.all([relay.close(), page.close()]);
  });
});
