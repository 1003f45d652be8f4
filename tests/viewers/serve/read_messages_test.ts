import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "node:test";
import { Bridge } from "../../../lib/bridge/mod.ts";
import { isReadable, proxyMethod, readFrame } from "../../../lib/comms/grpc/message_proxy.ts";
import { GrpcService } from "../../../lib/comms/grpc/service.ts";
import { GrpcError, STATUS } from "../../../lib/comms/grpc/status.ts";
import { StoreHeaders } from "../../../lib/comms/grpc/store_headers.ts";
import { WriteMessages } from "../../../lib/comms/grpc/write_messages.ts";
import type { LogMsg } from "../../../lib/encoding/log_msg.ts";
import { type GuardOptions, viewerGuard } from "../../../lib/viewers/serve/guard.ts";
import {
  messageReaders,
  type MessageReadersOptions,
} from "../../../lib/viewers/serve/read_messages.ts";
import type { ViewerHubOptions } from "../../../lib/viewers/types.ts";
import { concat } from "../../encoding/rrd_builder.ts";
import { callBody, frame, framesOf, VERSIONS } from "../../comms/grpc/frames.ts";
import { MemoryStream } from "../../comms/grpc/memory_stream.ts";
import { keptLog } from "../../sinks/messages.ts";
import { TestClock } from "../clock.ts";
import { chunk as oldChunk } from "../../bridge/chunks.ts";
import { captured, chunk, madeHub, smart } from "../messages.ts";

const PATH = "/rerun.sdk_comms.v1alpha1.MessageProxyService/ReadMessages";
const V1 = proxyMethod(PATH)!;

/** What a call of an SDK is decoded to. */
function logged(version: typeof VERSIONS[number]): LogMsg[] {
  const step = new WriteMessages({ dialect: "v1alpha1", headers: new StoreHeaders() });
  return [...step.push(callBody(version)).items];
}

function defined<T extends object>(options: T) {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as { [K in keyof T]: Exclude<T[K], undefined> };
}

/** A hub behind a service that has readers alone. */
function served(options: ViewerHubOptions & MessageReadersOptions & GuardOptions = {}) {
  const { hostname, allowHosts, allowOrigins, pagePort, token, ...rest } = options;
  const { every, stallTimeoutSec, ...hubOptions } = rest;
  const { now, log } = hubOptions;
  const hub = madeHub(hubOptions);
  const guard = viewerGuard(
    defined({ hostname, allowHosts, allowOrigins, pagePort, token }),
  );
  const readers = messageReaders(hub, defined({ guard, now, log, every, stallTimeoutSec }));
  const service = new GrpcService<undefined>({
    writeMessages() {},
    readMessages: (info) => readers.read(info, { addr: { hostname: "10.0.0.7", port: 5 } }),
    writeTable() {},
    async *readTables() {},
    isServing: () => true,
    failed() {},
  });
  const read = (headers: Record<string, string> = {}, path = PATH) => {
    const stream = new MemoryStream(path, { ":authority": "127.0.0.1:9876", ...headers });
    service.accept(stream, undefined);
    stream.send(frame(new Uint8Array()));
    stream.finish();
    return stream;
  };
  const write = (msgs: readonly LogMsg[]) => void hub.write(msgs.map((msg) => smart(msg)));
  return { hub, readers, read, write };
}

const joined = (parts: readonly Uint8Array[]) =>
  Uint8Array.from(parts.flatMap((part) => [...part]));

/** Resolves when all that is ready has happened. */
const idle = () => new Promise((resolve) => setTimeout(resolve, 0));

const kindsOf = (messages: readonly Uint8Array[]) => {
  const step = new WriteMessages({ dialect: "v1alpha1", headers: new StoreHeaders() });
  return messages.flatMap((message) => [...step.push(frame(message)).items]).map((msg) => msg.kind);
};

describe("ReadMessages", () => {
  for (const version of VERSIONS) {
    it(`gives an early viewer what SDK ${version} sent, to the byte, and ends well`, async () => {
      const { hub, read, write } = served();
      const stream = read();
      for (const msg of logged(version)) write([msg]);
      await hub.close();
      await stream.ended;
      assertEquals(stream.status, [0, ""]);
      assertEquals(stream.messages, framesOf(callBody(version)));
    });

    it(`gives a late viewer all of it, what explains the rest first`, async () => {
      const { hub, read, write } = served();
      write(logged(version).toReversed());
      const stream = read();
      await hub.close();
      await stream.ended;
      assertEquals(stream.status, [0, ""]);
      const sorted = (all: readonly Uint8Array[]) => all.map((m) => m.join()).sort();
      assertEquals(sorted(stream.messages), sorted(framesOf(callBody(version))));
      assertEquals(kindsOf(stream.messages)[0], "SetStoreInfo");
    });
  }

  it("leaves out tables of SDK 0.16 and before, says so once for each viewer, and counts it", async () => {
    const log = keptLog();
    const { hub, readers, read, write } = served({ log });
    const old = captured("0.16.1-mixed");
    write([...old, ...logged("0.41.0")]);
    const stream = read();
    await idle();
    write(old);
    await hub.close();
    await stream.ended;
    assertEquals(stream.messages.length, framesOf(callBody("0.41.0")).length);
    assertEquals(stream.status, [0, ""]);
    assertEquals(readers.otherData, 2 * old.length);
    assertEquals(
      log.of("info").filter((line) =>
        line.includes("SDK 0.16 and older are left out for the viewer at 10.0.0.7:5")
      ).length,
      1,
    );
  });

  for (const name of ["0.17.0-mixed", "0.18.2-mixed", "0.20.3-mixed", "0.22.1-mixed"]) {
    it(`gives today's viewers ${name} in today's form, live and late, beside what 0.41.0 logs`, async () => {
      const { hub, readers, read, write } = served();
      const old = captured(name);
      const live = read();
      write(logged("0.41.0"));
      await idle();
      for (const msg of old) write([msg]);
      const late = read();
      await idle();
      await hub.close();
      await Promise.all([live.ended, late.ended]);
      const bridge = new Bridge();
      const expected = [...logged("0.41.0"), ...bridge.push(old).items]
        .map((msg) => joined(readFrame(msg, "v1alpha1") as Uint8Array[]));
      assertEquals(live.messages.map((message) => frame(message)), expected);
      const sorted = (all: readonly Uint8Array[]) => all.map((m) => m.join()).sort();
      assertEquals(sorted(late.messages.map((message) => frame(message))), sorted(expected));
      assertEquals(readers.otherData, 0);
      assertEquals(hub.stats.bridge.damaged, 0);
    });
  }

  it("makes today's form once for readers that are at the same message, within its bounds", async () => {
    const { hub, read, write } = served();
    const old = captured("0.20.3-mixed");
    const readers = [read(), read(), read()];
    for (const msg of old) {
      write([msg]);
      await idle();
    }
    assertEquals(hub.stats.bridge.bridged, old.length);
    const before = hub.stats.heldBytes;
    for (const reader of readers) reader.leave();
    await idle();
    assert(hub.stats.heldBytes < before, "what was made is kept for nobody");
    await hub.close();
  });

  it("says of which components columns got no archetype, or could not be read at all", async () => {
    const { hub, read, write } = served();
    write(captured("0.17.0-mixed"));
    write([chunk(1, 200), oldChunk(["rerun.components.DisconnectedSpace"])]);
    const stream = read();
    await idle();
    await hub.close();
    await stream.ended;
    assertEquals(hub.stats.bridge.untagged, { "rerun.components.DisconnectedSpace": 1 });
    assertEquals(hub.stats.bridge.damaged, 1);
  });

  it("gives viewers of 0.22 what SDK 0.17 to 0.22 logged, by the service they know", async () => {
    const { hub, read, write } = served();
    const old = captured("0.22.1-mixed");
    write([...old, ...logged("0.41.0")]);
    const stream = read({}, "/rerun.sdk_comms.v0.MessageProxy/ReadMessages");
    await hub.close();
    await stream.ended;
    assertEquals(stream.messages.length, old.length);
  });

  it("sends a large message in pieces that a slow link can be seen to take", async () => {
    const { hub, read, write } = served();
    const [{ encoded: { header } }] = logged("0.41.0") as [LogMsg];
    const bytes = new Uint8Array(200_000);
    write([{ kind: "UnknownMsg", name: "9", encoded: { header, bytes } }]);
    const stream = read();
    await hub.close();
    await stream.ended;
    for (const { length } of stream.written) assert(length <= 64 * 1024);
    assertEquals(stream.messages.map(({ length }) => length > 199_000), [true]);
  });

  it("gives as much at once as the next write takes, a large message and the one behind it", async () => {
    const { hub, read, write } = served();
    const [{ encoded: { header } }] = logged("0.41.0") as [LogMsg];
    const sizes = [150_000, 90_000];
    write(sizes.map((size) => (
      { kind: "UnknownMsg", name: "9", encoded: { header, bytes: new Uint8Array(size) } }
    )));
    const stream = Object.assign(read(), { aheadBytes: 100_000 });
    await hub.close();
    await stream.ended;
    const ends = stream.written.map((_, i) => concat(...stream.written.slice(0, i + 1)).length);
    for (const end of [100_000, 200_000]) assert(ends.includes(end), `${ends}`);
    assert(stream.written.length < 10, `${ends}`);
    assertEquals(stream.messages.map(({ length }) => Math.floor(length / 1000)), [149, 89]);
  });

  it("cuts off nobody who falls behind, and gives it all that is kept", async () => {
    const { hub, read, write } = served({ viewerQueueBytes: 1000 });
    const [slow, quick] = [read(), read()];
    slow.window = 0;
    const msgs = logged("0.41.0");
    for (let i = 0; i < 40; i++) {
      write(msgs);
      await idle();
    }
    assertEquals(hub.stats.viewers.map(({ skipped }) => skipped.messages), [0, 0]);
    slow.window = Infinity;
    slow.take();
    await hub.close();
    await Promise.all([slow.ended, quick.ended]);
    for (const { status, messages } of [slow, quick]) {
      assertEquals([status, messages.length], [[0, ""], 40 * msgs.length]);
    }
  });

  it("keeps those fresh that ask for it, and says what is no latency", async () => {
    let nowMs = 0;
    const { hub, read, write } = served({ now: () => nowMs });
    const [fresh, all, wrong] = [
      read({ "rerelay-latency": "500ms" }),
      read(),
      read({
        "rerelay-latency": "soon",
      }),
    ];
    await wrong.ended;
    assertEquals(wrong.status[0], STATUS.INVALID_ARGUMENT);
    assert(wrong.status[1].includes("500ms"), wrong.status[1]);
    for (const stream of [fresh, all]) stream.window = 0;
    await idle();
    for (let i = 1; i <= 20; i++) {
      nowMs += 100;
      write([chunk(i, 300_000)]);
      await idle();
    }
    for (const stream of [fresh, all]) {
      stream.window = Infinity;
      stream.take();
    }
    await hub.close();
    await Promise.all([fresh.ended, all.ended]);
    assertEquals(all.messages.length, 20);
    assert(fresh.messages.length >= 3 && fresh.messages.length < 10, `${fresh.messages.length}`);
  });

  it("cuts off who takes nothing for too long", async () => {
    const clock = new TestClock();
    const { hub, read, write } = served({
      now: clock.now,
      every: clock.every,
      stallTimeoutSec: 10,
    });
    const stream = read();
    stream.window = 0;
    for (let i = 0; i < 10; i++) write(logged("0.41.0"));
    await idle();
    clock.pass(11_000);
    assertEquals(hub.stats.gone.stalled, 1);
    stream.take();
    await stream.ended;
    assertEquals(stream.status[0], STATUS.RESOURCE_EXHAUSTED);
    assert(stream.status[1].startsWith("Stalled"), stream.status[1]);
    // To the end of the message that was begun, and not much further.
    assertEquals(stream.messages.map(({ length }) => length > 0).includes(false), false);
    assert(stream.messages.length < 10 * logged("0.41.0").length);
    await hub.close();
  });

  it("cuts off in no message, so that the reader understands why", async () => {
    const clock = new TestClock();
    const { hub, read, write } = served({ now: clock.now, every: clock.every });
    const [{ encoded: { header } }] = logged("0.41.0") as [LogMsg];
    const large = {
      kind: "UnknownMsg",
      name: "9",
      encoded: { header, bytes: new Uint8Array(2e6) },
    };
    write([large, large] as LogMsg[]);
    const stream = read();
    stream.window = 0;
    await idle();
    clock.pass(11_000);
    stream.window = Infinity;
    stream.take();
    await stream.ended;
    assertEquals(stream.status[0], STATUS.RESOURCE_EXHAUSTED);
    assertEquals(stream.messages.map(({ length }) => length > 1.9e6), [true]);
    await hub.close();
  });

  it("lets go of who left", async () => {
    const { hub, read } = served();
    const stream = read();
    await idle();
    assertEquals(hub.stats.viewers.map(({ transport, addr }) => [transport, addr]), [
      ["grpc", "10.0.0.7:5"],
    ]);
    stream.leave();
    await idle();
    assertEquals([hub.stats.viewers, hub.stats.gone.left], [[], 1]);
  });

  it("counts viewers, and refuses those above the limit", async () => {
    const { hub, read } = served({ maxViewers: 1 });
    const first = read();
    const second = read();
    await second.ended;
    assertEquals(second.status[0], STATUS.RESOURCE_EXHAUSTED);
    assert(second.status[1].includes("--max-viewers"), second.status[1]);
    await hub.close();
    await first.ended;
    assertEquals(first.status, [0, ""]);
  });

  it("ends with an error where the hub could not wait until all was taken", async () => {
    const { hub, read, write } = served({ delay: () => Promise.resolve() });
    write(Array.from({ length: 20 }, () => logged("0.41.0")).flat());
    const stream = read();
    stream.window = 0;
    await idle();
    await hub.close();
    while (stream.isWritable) {
      stream.take();
      await idle();
    }
    assertEquals(stream.status[0], STATUS.UNAVAILABLE);
  });

  for (
    const [what, options, headers, status, text] of [
      ["another host name", {}, { ":authority": "evil.example:9876" }, 7, "--allow-host"],
      ["no host name at all", {}, { ":authority": "a@b" }, 3, "host"],
      ["a page of another origin", {}, { origin: "http://evil.example" }, 7, "--allow-origin"],
      [
        "a page that may",
        { allowOrigins: ["http://a.example"] },
        { origin: "http://a.example" },
        0,
      ],
      ["a robot's name that is allowed", { allowHosts: ["robot"] }, { ":authority": "robot:1" }, 0],
      ["nobody with a token", { token: "a+b" }, {}, 16, "native viewers"],
      [
        "a wrong token",
        { token: "a+b" },
        { authorization: "Bearer x" },
        16,
        "This is not the token",
      ],
      ["the token", { token: "a+b" }, { authorization: "Bearer a+b" }, 0],
      ["the page's cookie", { token: "a+b" }, { cookie: "x=y; rerelay-token-9876=a%2Bb" }, 0],
      ["another port's", { token: "a+b" }, { cookie: "rerelay-token-9090=a%2Bb" }, 16, "cookie"],
      ["a damaged cookie", { token: "a+b" }, { cookie: "rerelay-token-9876=%" }, 16, "cookie"],
    ] as const
  ) {
    it(`answers ${what} with status ${status}`, async () => {
      const { hub, read, readers } = served(options as GuardOptions);
      const signal = new AbortController().signal;
      const fields = new Map<string, string>([
        [":authority", "127.0.0.1:9876"],
        ...Object.entries(headers),
      ]);
      const admit = () => readers.admit({ method: V1, headers: fields, signal });
      if (status === 0) admit();
      else assertEquals(assertThrows(admit, GrpcError).status, status);
      const stream = read(headers as Record<string, string>);
      await idle();
      await hub.close();
      await stream.ended;
      assertEquals(stream.status[0], status);
      assert(stream.status[1].includes(text ?? ""), stream.status[1]);
    });
  }

  it("refuses all once the hub is closed", async () => {
    const { hub, readers } = served();
    await hub.close();
    const signal = new AbortController().signal;
    const headers = new Map([["host", "localhost"]]);
    const error = assertThrows(() => readers.read({ method: V1, headers, signal }, {}), GrpcError);
    assertEquals(error.status, STATUS.UNAVAILABLE);
  });

  it("knows what viewers read without a look at the messages", () => {
    for (const msg of [...captured("0.22.1-mixed"), ...logged("0.41.0")]) {
      for (const dialect of ["v0", "v1alpha1"] as const) {
        if (isReadable(msg.encoded.header, dialect)) {
          assert(typeof readFrame(msg, dialect) !== "string");
        } else if (msg.kind === "ArrowMsg") assertEquals(readFrame(msg, dialect), "other data");
      }
    }
  });
});
