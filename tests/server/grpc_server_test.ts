import { describe, it } from "node:test";
import { assert, assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { H2Connection } from "../../lib/comms/h2/connection.ts";
import type { AnswerInfo } from "../../lib/comms/grpc/service.ts";
import { CallCut, GrpcError, STATUS } from "../../lib/comms/grpc/status.ts";
import { memoryTcp, type ServeOptions, Server, sourceText } from "../../mod.ts";
import { callBody, field, frame, framesOf, textField, VERSIONS } from "../comms/grpc/frames.ts";
import { drain } from "../comms/h2/take.ts";
import { concat } from "../encoding/rrd_builder.ts";
import { fixtureJson } from "../fixtures.ts";
import { callFields, PeerCall, PROXY } from "./grpc_peer.ts";
import { handClock, rest, Started, TRANSPORTS } from "./grpc_started.ts";

function assertMatch(text: string, pattern: RegExp): void {
  assert(pattern.test(text), `${text} does not match ${pattern}`);
}

const WRITE = `${PROXY}/WriteMessages`;
describe("gRPC at the server's port", () => {
  for (const transport of TRANSPORTS) {
    for (const version of VERSIONS) {
      it(`takes SDK ${version}'s call ${transport}, and answers when all is in`, async () => {
        await using started = await Started.on(transport, { reuseBuffers: true });
        const peer = await started.connect();
        const call = peer.call(WRITE);
        await call.send(callBody(version));
        call.stream.end();
        assertEquals(await call.status, [0, ""]);
        await started.until(() => started.quits.length === 1);
        const expected = fixtureJson(`grpc/${version}-mixed.expected.json`) as { messages: [] };
        assertEquals(started.received.length - 1, (expected.messages ?? expected).length);
        const { source, payload } = started.quits[0]!;
        assertEquals(payload, { type: "quit" });
        const { port } = peer.localAddr;
        assertEquals([source.kind, sourceText(source), source.id], [
          "grpc-client",
          `grpc://127.0.0.1:${port}`,
          1,
        ]);
        assertEquals(started.said("info", "warn", "error"), [
          "info New SDK client connected from: ADDR, over gRPC",
        ]);
        assertEquals(started.server.stats.messages, started.received.length - 1);
        peer.cut();
      });
    }
  }

  it("has a client for each call of a connection, and counts them", async () => {
    await using started = await Started.on();
    const peer = await started.connect();
    const body = callBody("0.41.0");
    const [a, b] = [peer.call(WRITE), peer.call(WRITE)];
    await a.send(body);
    await b.send(body);
    await started.until(() => started.received.length > 0 && started.lines.length >= 3);
    assertEquals(started.server.stats.connections.open, 2);
    assertEquals(started.server.stats.clients.map(({ source }) => source.id), [1, 2]);
    a.stream.end();
    b.stream.end();
    assertEquals([(await a.status)[0], (await b.status)[0]], [0, 0]);
    await started.until(() => started.quits.length === 2);
    assertEquals(started.server.stats.connections, { open: 0, total: 2, refused: 0 });
    peer.cut();
  });

  it("keeps what came whole of a call that breaks off, between messages and inside one", async () => {
    for (const [cut, level] of [[0, "info"], [7, "warn"]] as const) {
      await using started = await Started.on();
      const peer = await started.connect();
      const body = callBody("0.41.0");
      await peer.call(WRITE).send(body.subarray(0, body.length - cut));
      await started.until(() => started.received.length >= (cut ? 1 : 2));
      await rest();
      peer.cut();
      await started.until(() => started.quits.length === 1);
      const { payload } = started.quits[0]!;
      assert(payload.type === "quit");
      assertInstanceOf(payload.error, CallCut);
      assertEquals(payload.error.isInMessage, cut > 0);
      assert(started.received.length > 2);
      await rest();
      assertEquals(started.said("info", "warn").slice(1).map((line) => line.slice(0, 30)), [
        `${level} Client at ADDR left early: `.slice(0, 30),
      ]);
    }
  });

  it("ends a call with a damaged message, and says which", async () => {
    await using started = await Started.on();
    const peer = await started.connect();
    const call = peer.call(WRITE);
    await call.send(frame(Uint8Array.of(0xff, 0xff, 0xff)));
    const [status, text] = await call.status;
    assertEquals(status, 3, text);
    await rest();
    assertMatch(
      started.said("warn").join("\n"),
      /Ending the call of the client at .*, in its message 1: /,
    );
    // The connection lives on.
    assertEquals((await peer.ask("/grpc.health.v1.Health/Check").status)[0], 0);
    peer.cut();
  });

  it("describes its services to whoever asks, one question after the other", async () => {
    await using started = await Started.on();
    const peer = await started.connect();
    for (const version of ["v1", "v1alpha"]) {
      const call = peer.call(`/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`);
      await call.send(frame(textField(7, "")));
      await call.send(frame(textField(4, "grpc.health.v1.Health")));
      call.stream.end();
      assertEquals((await call.status)[0], 0);
      const [list, file] = (await call.messages(2)).map((message) =>
        new TextDecoder().decode(message)
      );
      assertStringIncludes(list!, "rerun.sdk_comms.v1alpha1.MessageProxyService");
      assertStringIncludes(file!, "HealthCheckRequest");
    }
    assertEquals(started.said("warn"), []);
    peer.cut();
  });

  it("ends reflection that asks nothing more without a warning", async () => {
    const clock = handClock();
    await using started = await Started.on("in memory", { ...clock.options });
    const peer = await started.connect();
    const call = peer.call("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo");
    await call.send(frame(textField(7, "")));
    await call.messages(1);
    await rest();
    clock.pass(11_000);
    assertEquals((await call.status)[0], 0);
    assertEquals(started.said("warn"), []);
    peer.cut();
  });

  it("lets a call wait for a place, and refuses it when that takes too long", async () => {
    const clock = handClock();
    await using started = await Started.on("in memory", { maxClients: 1, ...clock.options });
    const peer = await started.connect();
    const body = callBody("0.41.0");
    const [a, b, c] = [peer.call(WRITE), peer.call(WRITE), peer.call(WRITE)];
    await a.send(body);
    void b.send(body);
    b.stream.end();
    await rest();
    assertEquals(started.server.stats.clients.map(({ messages }) => messages > 0), [
      true,
      false,
      false,
    ]);
    a.stream.end();
    assertEquals(await a.status, [0, ""]);
    assertEquals(await b.status, [0, ""]);
    const d = peer.call(WRITE);
    await rest();
    clock.pass(11_000);
    const [status, text] = await d.status;
    assertEquals(status, 8, text);
    assertMatch(text, /--max-clients/);
    assertEquals(started.server.stats.clients.length, 1);
    c.stream.end();
    assertEquals((await c.status)[0], 0);
    peer.cut();
  });

  it("takes calls in turn at the limit, though the first bytes of their connections bring all", async () => {
    await using started = await Started.on("in memory", { maxClients: 1 });
    const peer = await started.connect();
    const held = peer.call(WRITE);
    // All but the largest message: within the window that HTTP/2 has by default.
    const messages = framesOf(callBody("0.41.0")).toSorted((a, b) => a.length - b.length);
    const body = concat(...messages.slice(0, -1).map((message) => frame(message)));
    assert(body.length < 65_536);
    await held.send(body);
    await started.until(() => started.received.length > 0);
    // As SDKs do: they wait for no settings.
    for (let i = 0; i < 5; i++) {
      const h2 = new H2Connection("client");
      const { stream } = new PeerCall(h2.request(callFields(WRITE))!);
      stream.write(body);
      stream.end();
      const { writable } = started.net.connect(started.server.addr.port);
      void writable.getWriter().write(drain(h2));
      await rest();
    }
    const sent = started.received.length;
    assertEquals(started.server.stats.clients.filter(({ messages }) => messages > 0).length, 1);
    held.stream.end();
    await started.until(() => started.quits.length === 6);
    const ids = started.received.filter(({ payload }) => payload.type === "quit")
      .map(({ source }) => source.id);
    assertEquals(ids, ids.toSorted((a, b) => a - b));
    assertEquals(started.received.length, 6 * (sent + 1));
    assertEquals(started.said("warn"), []);
    peer.cut();
  });

  it("ends connections that make no call in time, undecided ones too", async () => {
    const clock = handClock();
    await using started = await Started.on("in memory", clock.options);
    const net = await started.connect();
    await rest();
    assertEquals(started.server.stats.connections.open, 1);
    clock.pass(9_000);
    await rest();
    assertEquals(started.server.stats.connections.open, 1);
    clock.pass(2_000);
    await net.ended;
    await rest();
    clock.pass(3_000);
    await rest();
    assertEquals(started.server.stats.connections.open, 0);
    assertMatch(started.said("warn").join("\n"), /--handshake-timeout/);
  });

  it("stops an SDK within its window while nobody receives, and goes on answering", async () => {
    await using started = await Started.on(
      "in memory",
      { channelLimitBytes: 256 * 1024, maxLatencySec: Infinity },
      false,
    );
    const peer = await started.connect();
    const call = peer.call(WRITE);
    const body = callBody("0.41.0");
    let sent = 0;
    const all = 16 * 1024 * 1024;
    const sending = (async () => {
      for (; sent < all; sent += body.length) await call.send(body);
    })();
    for (let before = -1; before !== sent;) {
      before = sent;
      await rest();
    }
    assert(sent < 4 * 1024 * 1024, `${sent} bytes were taken`);
    assertEquals((await peer.ask("/grpc.health.v1.Health/Check").status)[0], 0);
    void started.receive();
    await sending;
    call.stream.end();
    assertEquals(await call.status, [0, ""]);
    peer.cut();
  });

  it("closes with what came: calls that have ended get their answer, others hear why", async () => {
    await using started = await Started.on();
    const peer = await started.connect();
    const [open, done] = [peer.call(WRITE), peer.call(WRITE)];
    await open.send(callBody("0.41.0"));
    await started.until(() => started.received.length > 2);
    void done.send(callBody("0.23.4"));
    done.stream.end();
    const closing = started.server.close({ drainMs: 300, quietMs: 20 });
    assertEquals(await done.status, [0, ""]);
    const [status, text] = await open.status;
    assertEquals(status, 14);
    assertMatch(text, /^The server closes, having received \d+ messages? of this call$/);
    await peer.ended;
    await closing;
    assertEquals(started.quits.map(({ payload }) => payload), [{ type: "quit" }, { type: "quit" }]);
    assertEquals(started.said("warn", "error"), []);
  });

  it("evicts the call that holds an unfinished message the longest", async () => {
    await using started = await Started.on("in memory", { maxUnfinishedBytes: 1024 * 1024 });
    const [a, b] = [await started.connect(), await started.connect()];
    const head = Uint8Array.of(0, 1, 0, 0, 0); // of 16 MiB
    const first = a.call(WRITE);
    await first.send(head);
    for (let i = 0; i < 9; i++) await first.send(new Uint8Array(64 * 1024));
    await rest();
    const second = b.call(WRITE);
    await second.send(head);
    for (let i = 0; i < 9; i++) await second.send(new Uint8Array(64 * 1024));
    const [status, text] = await first.status;
    assertEquals(status, 8, text);
    assertMatch(text, /--max-unfinished/);
    a.cut();
    b.cut();
  });

  for (const onBadArrow of ["drop", "close"] as const) {
    it(`treats corrupt Arrow data as it does that of others: ${onBadArrow}`, async () => {
      await using started = await Started.on("in memory", { onBadArrow });
      const peer = await started.connect();
      const call = peer.call(WRITE);
      const messages = framesOf(callBody("0.41.0"));
      const largest = messages.reduce((a, b) => b.length > a.length ? b : a);
      // Arrow data begins with this; what follows is its length, and its schema.
      const at = largest.findIndex((_, i) => largest.subarray(i, i + 4).every((b) => b === 0xff));
      largest.fill(0xff, at + 8, at + 48);
      const before = messages.indexOf(largest);
      await call.send(concat(...messages.map((message) => frame(message))));
      call.stream.end();
      const [status, text] = await call.status;
      assertEquals(status, onBadArrow === "drop" ? 0 : 13, text);
      await started.until(() => started.quits.length === 1);
      const kept = onBadArrow === "drop" ? messages.length - 1 : before;
      assertEquals(started.received.length - 1, kept);
      assertEquals(started.server.stats.badArrow.messages, 1);
      peer.cut();
    });
  }

  it("asks nobody in who is not allowed", async () => {
    await using started = await Started.on("in memory", { allow: ["10.0.0.0/8"] });
    const peer = await started.connect();
    await peer.ended;
    assertMatch(started.said("warn").join("\n"), /127\.0\.0\.1 is not allowed to connect/);
  });
});

describe("other calls at the server's port", () => {
  it("have nothing to read where nobody keeps it, and say so", async () => {
    await using started = await Started.on();
    const peer = await started.connect();
    const [status, text] = await peer.ask(`${PROXY}/ReadMessages`).status;
    assertEquals(status, 9);
    assertMatch(text, /--serve-web/);
    assertMatch(started.said("warn").join("\n"), /ReadMessages.* failed: .*--serve-web/);
    peer.cut();
  });

  it("are read from a door, which outlives the server's own end", async () => {
    const more = Promise.withResolvers<void>();
    const doors = {
      async *readMessages() {
        yield [frame(Uint8Array.of(1))];
        await more.promise;
        yield [frame(Uint8Array.of(2))];
      },
    };
    await using started = await Started.on("in memory", { doors });
    const peer = await started.connect();
    const call = peer.ask(`${PROXY}/ReadMessages`);
    assertEquals(await call.messages(1), [Uint8Array.of(1)]);
    await started.server.close();
    more.resolve();
    assertEquals(await call.status, [0, ""]);
    assertEquals(await call.messages(2), [Uint8Array.of(1), Uint8Array.of(2)]);
    await started.server.closeDoors(500);
    await peer.ended;
  });

  it("keep the latest of each table for those who read", async () => {
    await using started = await Started.on();
    const peer = await started.connect();
    const table = (id: string, data: string) =>
      new Uint8Array([...field(1, textField(1, id)), ...textField(2, data)]);
    for (const [id, data] of [["a", "1"], ["b", "2"], ["a", "3"]] as const) {
      assertEquals(await peer.ask(`${PROXY}/WriteTable`, table(id, data)).status, [0, ""]);
    }
    const reading = peer.ask(`${PROXY}/ReadTables`);
    assertEquals(await reading.messages(2), [table("b", "2"), table("a", "3")]);
    await peer.ask(`${PROXY}/WriteTable`, table("c", "4")).status;
    assertEquals((await reading.messages(3))[2], table("c", "4"));
    assertEquals(started.said("info").filter((line) => /tables/.test(line)).length, 1);
    await started.server.closeDoors(500);
    assertEquals(await reading.status, [0, ""]);
  });

  it("are for nobody whom the door of tables refuses", async () => {
    const doors = {
      mayReadTables({ headers }: AnswerInfo) {
        if (headers.get("authorization") === "Bearer secret") return Promise.resolve();
        return Promise.reject(new GrpcError(STATUS.UNAUTHENTICATED, "A token is needed"));
      },
    };
    await using started = await Started.on("in memory", { doors });
    const peer = await started.connect();
    const table = new Uint8Array([...field(1, textField(1, "a")), ...textField(2, "1")]);
    assertEquals(await peer.ask(`${PROXY}/WriteTable`, table).status, [0, ""]);
    const refused = peer.ask(`${PROXY}/ReadTables`);
    assertEquals(await refused.status, [16, "A token is needed"]);
    assertEquals(refused.parts, []);
    const reading = peer.call(`${PROXY}/ReadTables`, { authorization: "Bearer secret" });
    reading.stream.write(frame(new Uint8Array(0)));
    reading.stream.end();
    assertEquals(await reading.messages(1), [table]);
    peer.cut();
  });
});

describe("HTTP/1.1 at the server's port", () => {
  const ask = (path: string, options: ServeOptions = {}) =>
    say(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`, options);
  /** Sends this byte by byte, and waits until the server ends the connection. */
  const say = async (text: string, options: ServeOptions = {}) => {
    const net = memoryTcp();
    const lines: string[] = [];
    const log = {
      enabled: () => true,
      write: (level: string, text: string) => void lines.push(`${level} ${text}`),
    };
    await using server = await Server.listen(net, { port: 9876, log, ...options });
    const client = net.connect(9876);
    const writer = client.writable.getWriter();
    for (const byte of new TextEncoder().encode(text)) await writer.write(Uint8Array.of(byte));
    const answer = await new Response(client.readable as ReadableStream<Uint8Array<ArrayBuffer>>)
      .text();
    assertEquals(server.stats.messages, 0);
    return { answer, warnings: lines.filter((line) => line.startsWith("warn")) };
  };

  it("answers probes", async () => {
    const { answer, warnings } = await ask("/healthz");
    assertMatch(answer, /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nok\n$/);
    assertEquals(warnings, []);
  });

  it("answers probes whose address is whole, as proxies write it", async () => {
    assertMatch((await ask("http://robot:9876/healthz")).answer, /^HTTP\/1\.1 200 OK\r\n/);
    assertMatch((await ask("http://robot:9876")).answer, /^HTTP\/1\.1 404 /);
  });

  it("ends at its first line what only looked like a request", async () => {
    // Nobody turns the clock, so what waits for a deadline waits for ever.
    for (const line of ["EHLO robot\r\n", "PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n", "QUIT\n"]) {
      const { answer, warnings } = await say(line, { now: () => 0 });
      assertEquals(answer, "");
      assertEquals(warnings.length, 1);
      assertMatch(warnings[0]!, /Rejected incoming connection .* tell of no protocol/);
    }
  });

  it("tells others how the page is served", async () => {
    const { answer, warnings } = await ask("/");
    assertMatch(answer, /^HTTP\/1\.1 404 [^]*--serve-web/);
    assertEquals(warnings.length, 1);
    assertMatch(warnings[0]!, /127\.0\.0\.1:\d+ asked for "\/".*--serve-web/);
  });

  it("gives the connection to a door with all that was read", async () => {
    const { answer } = await ask("/page", {
      doors: {
        async http(connection, first) {
          let text = new TextDecoder().decode(first);
          while (!text.endsWith("\r\n\r\n")) {
            text += new TextDecoder().decode(await connection.read!());
          }
          await connection.write(new TextEncoder().encode(`got ${text.split("\r\n")[0]}`));
        },
      },
    });
    assertEquals(answer, "got GET /page HTTP/1.1");
  });
});
