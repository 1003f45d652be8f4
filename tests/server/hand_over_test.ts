import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { memoryTcp } from "../../lib/adapters/tcp/memory_tcp.ts";
import { FlowTurns } from "../../lib/flow/channel/flow_turns.ts";
import { KnownEnvelopes } from "../../lib/encoding/msgpack/known_envelopes.ts";
import { ReadGate } from "../../lib/flow/channel/read_gate.ts";
import { SmartChannel } from "../../lib/flow/channel/smart_channel.ts";
import { TcpClientSource } from "../../lib/flow/channel/smart_message.ts";
import { Client } from "../../lib/server/client.ts";
import type { Guests } from "../../lib/server/guests.ts";
import type { ListedClient } from "../../lib/server/listed_client.ts";
import { resolveOptions } from "../../lib/server/options.ts";
import { UnfinishedPacketsLimit } from "../../lib/base/errors.ts";

/** The first bytes of HTTP/2. */
const HTTP2 = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** A client that speaks HTTP/2, whose code is loaded as `guests` says; resolves once it is asked for. */
async function handedOver(guests: () => Promise<Guests>) {
  const lines: string[] = [];
  let nowMs = 0;
  let unfinished = 0;
  const options = resolveOptions({
    now: () => nowMs,
    handshakeTimeoutSec: 10,
    log: { enabled: () => true, write: (level, text) => lines.push(`${level} ${text}`) },
  });
  const net = memoryTcp();
  const listener = await net.listen({ hostname: "127.0.0.1", port: 0 });
  const peer = net.connect();
  const connection = (await listener.accept())!;
  const asked = Promise.withResolvers<void>();
  const { delay } = options;
  const sender = new SmartChannel().sender(new TcpClientSource(7, connection.remoteAddr));
  const client = new Client(connection, sender, {
    options,
    patience: { ...options, now: () => nowMs },
    pool: undefined,
    envelopes: new KnownEnvelopes(),
    turns: new FlowTurns({ count: 1, delay }),
    gate: new ReadGate(1e6, () => {}),
    onRead() {},
    onGarbage() {},
    onUnfinished: (more) => unfinished += more,
    onGreeted: () => undefined,
    onHeld() {},
    onReceived() {},
    onBadArrow() {},
    isNewVersion: () => false,
    guests: () => {
      asked.resolve();
      return guests();
    },
  });
  const run = client.run();
  await peer.writable.getWriter().write(HTTP2);
  await asked.promise;
  return {
    client,
    peer,
    run,
    lines,
    unfinished: () => unfinished,
    turnTo: (ms: number) => nowMs = ms,
  };
}

const never = () => new Promise<Guests>(() => {});

describe("a connection whose protocol's code is not loaded yet", () => {
  it("is handed over with its first bytes, its number and its age", async () => {
    const taken: unknown[] = [];
    const heir = {} as ListedClient;
    const guests = {
      take(_: unknown, { protocol, first }: { protocol: string; first: Uint8Array }, who: unknown) {
        taken.push(protocol, first, who);
        return heir;
      },
    } as unknown as Guests;
    const { run, unfinished, lines } = await handedOver(() => Promise.resolve(guests));
    assert(await run === heir);
    assertEquals(taken, ["http2", HTTP2, { id: 7, since: 0 }]);
    assertEquals([unfinished(), lines], [0, []]);
  });

  it("counts what was read of it as long as it waits", async () => {
    const { client, run, unfinished } = await handedOver(never);
    assertEquals([client.unfinishedBytes, unfinished()], [HTTP2.length, HTTP2.length]);
    client.close();
    await run;
    assertEquals(unfinished(), 0);
  });

  it("is closed at the deadline of its handshake, which the log says", async () => {
    const { client, peer, run, lines, turnTo } = await handedOver(never);
    turnTo(9_999);
    assert(!client.checkDeadlines());
    turnTo(10_000);
    assert(client.checkDeadlines());
    assertEquals(await run, undefined);
    await peer.closed;
    assert(/^warn Closing connection to client at .*10 s/.test(lines[0]!), lines.join("\n"));
    assertEquals(lines.length, 1);
  });

  it("may be evicted", async () => {
    const { client, peer, run, lines } = await handedOver(never);
    client.evict(new UnfinishedPacketsLimit(1));
    assertEquals(await run, undefined);
    await peer.closed;
    assertEquals(lines.length, 1);
  });

  it("is closed with the server, without a word", async () => {
    const { client, peer, run, lines } = await handedOver(never);
    client.close();
    assertEquals(await run, undefined);
    await peer.closed;
    assertEquals(lines, []);
  });

  it("is closed where the code can't be loaded, and the log says why", async () => {
    const gone = () => Promise.reject(new Error("Module not found"));
    const { peer, run, lines } = await handedOver(gone);
    assertEquals(await run, undefined);
    await peer.closed;
    assertEquals(lines.length, 1);
    assert(/^error .*could not be loaded: Module not found/.test(lines[0]!), lines[0]);
  });
});
