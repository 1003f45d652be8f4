import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { nodeHttp } from "../../../lib/adapters/http/node_http.ts";
import { GrpcService } from "../../../lib/comms/grpc/service.ts";
import { RrdDecoder } from "../../../lib/encoding/rrd/rrd_decoder.ts";
import { httpApp } from "../../../lib/viewers/serve/http_app.ts";
import { messageReaders } from "../../../lib/viewers/serve/read_messages.ts";
import { relaySocket, type RelayWebSocket } from "../../../lib/viewers/serve/relay_socket.ts";
import { websocketRelay } from "../../../lib/viewers/serve/websocket_relay.ts";
import type { ViewerHub, ViewerHubOptions } from "../../../lib/viewers/types.ts";
import { frame, framesOf } from "../../comms/grpc/frames.ts";
import { MemoryStream } from "../../comms/grpc/memory_stream.ts";
import { announcement, chunk, madeHub, smart } from "../messages.ts";

const PATH = "/rerun.sdk_comms.v1alpha1.MessageProxyService/ReadMessages";
const PAGE = "http://127.0.0.1:9090";

/** Tens of thousands of bytes: what tells the messages of these tests apart, however they are wrapped. */
const sizesOf = (messages: readonly Uint8Array[]) =>
  messages.map(({ length }) => Math.round(length / 10_000));

/** A door: joins as one asks there, and resolves to the messages that came, once the hub is closed. */
type Door = (hub: ViewerHub, history: string | undefined) => () => Promise<Uint8Array[]>;

const query = (history: string | undefined) => history === undefined ? "" : `?history=${history}`;
const fields = (history: string | undefined): Record<string, string> =>
  history === undefined ? {} : { "rerelay-history": history };

const DOORS: Record<string, Door> = {
  "the WebSocket relay": (hub, history) => {
    const received: Uint8Array[] = [];
    const relay = websocketRelay(hub);
    const serving = nodeHttp.serve({
      ...{ hostname: "127.0.0.1", port: 0, handshakeTimeoutSec: 10, maxConnections: 9 },
      fetch: relay,
      onError(error) {
        throw error;
      },
    });
    const closed = serving.then(async ({ addr, close }) => {
      const socket = new WebSocket(`ws://127.0.0.1:${addr.port}/${query(history)}`);
      socket.binaryType = "arraybuffer";
      socket.onmessage = ({ data }) => received.push(new Uint8Array(data));
      await new Promise((resolve) => socket.onclose = resolve);
      await close();
    });
    return async () => {
      await closed;
      return received;
    };
  },
  "a socket that an app upgraded": (hub, history) => {
    const received: Uint8Array[] = [];
    const socket: RelayWebSocket = {
      ...{ readyState: 1, bufferedAmount: 0, binaryType: "" },
      send: (bytes) => void received.push(bytes),
      close() {},
      addEventListener() {},
    };
    const wish = history === "newest-first" ? { history } as const : {};
    const over = relaySocket(hub, socket, wish);
    return async () => {
      await over;
      return received;
    };
  },
  "HTTP streams": (hub, history) => {
    const response = httpApp({ hub }).request(`${PAGE}/stream.rrd${query(history)}`);
    const bytes = Promise.resolve(response).then((answer) => answer.bytes());
    return async () => {
      const { items } = new RrdDecoder().push(await bytes);
      return items.map(({ encoded }) => encoded.bytes);
    };
  },
  "ReadMessages": (hub, history) => {
    const readers = messageReaders(hub);
    const service = new GrpcService<undefined>({
      writeMessages() {},
      readMessages: (info) => readers.read(info, {}),
      writeTable() {},
      async *readTables() {},
      isServing: () => true,
      failed() {},
    });
    const stream = new MemoryStream(PATH, { ":authority": "localhost", ...fields(history) });
    service.accept(stream, undefined);
    stream.send(frame(new Uint8Array()));
    stream.finish();
    return async () => {
      await stream.ended;
      return [...stream.messages];
    };
  },
  "gRPC-web": (hub, history) => {
    const headers = { "content-type": "application/grpc-web+proto", ...fields(history) };
    const body = frame(new Uint8Array());
    const response = httpApp({ hub }).fetch(
      new Request(`${PAGE}${PATH}`, { method: "POST", headers, body }),
    );
    const bytes = Promise.resolve(response).then((answer) => answer.bytes());
    return async () => framesOf(await bytes).slice(0, -1);
  },
};

async function given(door: Door, history?: string, options: ViewerHubOptions = {}) {
  const hub = madeHub(options);
  hub.write(
    [announcement("rec"), ...[4, 5, 6].map((n) => chunk(n, n * 10_000))].map((m) => smart(m)),
  );
  const end = door(hub, history);
  while (hub.stats.viewers.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  hub.write([smart(chunk(7, 70_000))]);
  await new Promise((resolve) => setTimeout(resolve, 20));
  await hub.close();
  return sizesOf(await end());
}

describe("the newest first", () => {
  for (const [name, door] of Object.entries(DOORS)) {
    it(`comes through ${name} where it is asked for, and where the server says so`, async () => {
      const newestFirst = await given(door, "newest-first");
      assertEquals(newestFirst.filter((size) => size > 0 && size < 7), [6, 5, 4], `${newestFirst}`);
      assertEquals(newestFirst.toSorted(), [0, 4, 5, 6, 7]);
      assertEquals(newestFirst[0], 0);
      assertEquals(await given(door, undefined, { newestFirst: true }), newestFirst);
      assertEquals(await given(door), [0, 4, 5, 6, 7]);
    });
  }

  it("is no download's, whose order is that of arrival; what makes no sense is told", async () => {
    const hub = madeHub({ newestFirst: true });
    hub.write([4, 5, 6].map((n) => smart(chunk(n, n * 10_000))));
    const app = httpApp({ hub });
    const get = (query: string, method = "GET") =>
      Promise.resolve(app.request(`${PAGE}/stream.rrd?${query}`, { method }));
    const { items } = new RrdDecoder().push(await (await get("download=1")).bytes());
    assertEquals(sizesOf(items.map(({ encoded }) => encoded.bytes)), [4, 5, 6]);
    for (
      const [query, text] of [
        ["download=1&history=none", "history=none leaves out all"],
        ["download=1&history=newest-first", "order of arrival"],
        ["history=oldest", "all, none or newest-first"],
        ["name=a%20b", "letters"],
        ["latency=soon", "2s"],
      ] as const
    ) {
      const answer = await get(query);
      assertEquals(answer.status, 400);
      assert((await answer.text()).includes(text), query);
      assertEquals((await get(query, "HEAD")).status, 400);
    }
    assertEquals(hub.stats.joined, 1);
    await hub.close();
  });

  it("has viewers find themselves by the name that they gave", async () => {
    const hub = madeHub();
    const { body } = await httpApp({ hub }).request(`${PAGE}/stream.rrd?name=page-7&latency=2s`);
    assertEquals(hub.stats.viewers.map(({ name }) => name), ["page-7"]);
    await body!.cancel();
    await hub.close();
  });
});
