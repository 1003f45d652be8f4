import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "node:test";
import { Hono } from "hono";
import { nodeHttp } from "../../../lib/adapters/http/node_http.ts";
import { decodeRrdHeader } from "../../../lib/encoding/rrd_header.ts";
import { Bridge, BRIDGED_HEADER } from "../../../lib/bridge/mod.ts";
import { endMarker } from "../../../lib/encoding/rrd/rrd_encode.ts";
import { RrdDecoder } from "../../../lib/encoding/rrd/rrd_decoder.ts";
import type { LogMsg } from "../../../lib/encoding/log_msg.ts";
import { viewerGuard } from "../../../lib/viewers/serve/guard.ts";
import { httpApp, type HttpAppOptions } from "../../../lib/viewers/serve/http_app.ts";
import { NatsFleet } from "../../../lib/server/nats_fleet.ts";
import { viewerHub } from "../../../lib/viewers/hub.ts";
import { fixture } from "../../fixtures.ts";
import { TestClock, turn } from "../clock.ts";
import { announcement, captured, chunk, madeHub, smart } from "../messages.ts";

const HERE = "http://localhost:9090";

function app(options: Partial<HttpAppOptions> = {}) {
  const hub = options.hub ?? madeHub();
  const all = httpApp({ hub, ...options });
  const get = (path: string, init?: RequestInit) =>
    Promise.resolve(all.request(new URL(path, `${HERE}/`).href, init));
  return { hub, get, all };
}

/** Reads a body until it has so many bytes, or ends. */
async function read(body: ReadableStream<Uint8Array>, count = Infinity): Promise<Uint8Array> {
  const reader = body.getReader();
  const all: number[] = [];
  while (all.length < count) {
    const { done, value } = await reader.read();
    if (done) break;
    all.push(...value);
  }
  reader.releaseLock();
  return Uint8Array.from(all);
}

const bytesOf = (msgs: readonly LogMsg[]) => msgs.flatMap((msg) => [...msg.encoded.bytes]);

describe("the HTTP app", () => {
  it("lists recordings", async () => {
    const hub = viewerHub({ date: () => 1_700_000_000_000 });
    hub.write(captured("0.22.1-mixed").map((msg) => smart(msg)));
    const { get } = app({ hub });
    const [recording, ...others] = await (await get("/recordings")).json();
    assertEquals(others, []);
    assertEquals(recording.id, "rec-mixed");
    assertEquals(recording.applicationId, "rerun_example_capture");
    assertEquals(recording.sdk, "0.22.1");
    assertEquals([recording.first, recording.lastMs], ["2023-11-14T22:13:20.000Z", 1.7e12]);
    assertEquals([recording.messages > 10, recording.live], [true, true]);
    assert(/^\d{19}$/.test(recording.startedNs), recording.startedNs);
    assertEquals((await get(recording.url)).status, 200);
  });

  it("lists boxes that send by NATS, found by their names and those of their recordings", async () => {
    const clock = { ms: 0 };
    const fleet = new NatsFleet(() => clock.ms);
    for (let i = 0; i < 8; i++) {
      const [box, recording] = [`box-${i % 4}`, i < 6 ? `run ${i}` : "same"];
      const counts = { messages: 1, bytes: 10, lagSec: i, ageMs: 0 };
      fleet.came({ box, recording, applicationId: "arm", ...counts });
      clock.ms += 10_000;
    }
    const { get } = app({ status: () => ({ fleet: () => fleet.boxes }) });
    const boxes = async (query: string) => (await get(`/fleet${query}`)).json();
    const [last, ...others] = await boxes("");
    const { box, lagSec, live, recordings, liveRecordings, newest } = last;
    assertEquals([box, lagSec, live, recordings, liveRecordings], ["box-3", 7, true, 2, 2]);
    assertEquals(newest[0].id, "same");
    assertEquals(others.map(({ box }: { box: string }) => box), ["box-2", "box-1", "box-0"]);
    assertEquals(others.at(-1).liveRecordings, 1);
    const found = async (query: string) =>
      (await boxes(query)).map(({ box }: { box: string }) => box);
    assertEquals(await found("?search=SAME"), ["box-3", "box-2"]);
    assertEquals(await found("?sort=name&limit=2"), ["box-0", "box-1"]);
    const page = await get("/fleet?limit=1&offset=1");
    assertEquals([page.headers.get("x-total-count"), (await page.json()).length], ["4", 1]);
    // By the clock of /status: a page that is busy with a viewer asks for the boxes seconds later.
    const counted = Number(page.headers.get("x-time-ms"));
    const { timeMs } = await (await get("/status")).json();
    assert(counted > 0 && counted <= timeMs, `${counted} ms, and ${timeMs} ms`);
    assertEquals((await get("/fleet?limit=x")).status, 400);
    assertEquals((await app().get("/fleet")).status, 404);
    const guarded = app({ guard: viewerGuard({ token: "s3cret" }) });
    assertEquals((await guarded.get("/fleet")).status, 401);
  });

  for (const name of ["0.22.1-mixed", "0.22.1-blueprint", "0.17.0-mixed"]) {
    it(`streams ${name}: one header, then messages as they came, then what comes`, async () => {
      const hub = viewerHub();
      const msgs = captured(name);
      hub.write(msgs.slice(0, -1).map((msg) => smart(msg)));
      const { get } = app({ hub });
      const { encoded } = msgs[0]!;
      const before = [...encoded.header.bytes, ...bytesOf(msgs.slice(0, -1))];
      const response = await get("/stream.rrd?format=as-sent");
      assertEquals(response.headers.get("content-type"), "application/octet-stream");
      assertEquals(await read(response.body!, before.length), Uint8Array.from(before));
      hub.write([smart(msgs.at(-1)!)]);
      const last = bytesOf([msgs.at(-1)!]);
      assertEquals(await read(response.body!, last.length), Uint8Array.from(last));
      await hub.close();
      assertEquals(await read(response.body!), new Uint8Array());
      assertEquals(hub.stats.gone.closed, 1);
    });
  }

  it("gives a recording with its blueprints as a whole file to keep", async () => {
    const hub = viewerHub();
    hub.write(
      [...captured("0.22.1-blueprint"), ...captured("0.22.1-timeonly")].map((msg) => smart(msg)),
    );
    const { get } = app({ hub });
    const response = await get("/recordings/rec-blueprint.rrd?download=1&format=as-sent");
    assertEquals(
      response.headers.get("content-disposition"),
      'attachment; filename="rec-blueprint.rrd"',
    );
    const file = await read(response.body!);
    const expected = captured("0.22.1-blueprint");
    const { items, error } = new RrdDecoder().push(file);
    assertEquals(error, undefined);
    assertEquals(
      items.map(({ encoded }) => encoded.bytes),
      expected.map(({ encoded }) => encoded.bytes),
    );
    assertEquals(file.subarray(-8), new Uint8Array(8));
    await turn();
    assertEquals(hub.stats.gone.left, 1);
  });

  it("ends a file with what was there, though more and more comes", async () => {
    const hub = madeHub();
    hub.write(Array.from({ length: 20 }, (_, i) => smart(chunk(i, 100_000))));
    const { get } = app({ hub });
    const { body } = await get("/stream.rrd?download=1");
    const reader = body!.getReader();
    const decoder = new RrdDecoder();
    let messages = 0;
    for (let i = 100;; i++) {
      const { done, value } = await reader.read();
      if (done) break;
      messages += decoder.push(value).items.length;
      assert(i < 1000, "it does not end");
      hub.write([smart(chunk(i, 1000))]);
    }
    assertEquals(messages, 20);
  });

  it("writes no end marker that readers before 0.19 fail on", async () => {
    const hub = viewerHub();
    hub.write(captured("0.18.2-mixed").map((msg) => smart(msg)));
    const { body } = await app({ hub }).get("/stream.rrd?download=1&format=as-sent");
    const size = 12 + bytesOf(captured("0.18.2-mixed")).length;
    assertEquals((await read(body!)).length, size);
  });

  it("streams the newest version as it was sent, unless another is asked for", async () => {
    const hub = viewerHub();
    const names = ["0.9.1-scalars", "0.22.1-timeonly", "0.20.3-mixed"];
    hub.write(names.flatMap(captured).map((msg) => smart(msg)));
    const { get } = app({ hub });
    const as = "download=1&format=as-sent";
    const newest = await read((await get(`/stream.rrd?${as}`)).body!);
    assertEquals(newest.length, 12 + bytesOf(captured("0.22.1-timeonly")).length + 8);
    const asked = await read((await get(`/stream.rrd?${as}&version=0.20.3`)).body!);
    assertEquals(decodeRrdHeader(asked).version, { major: 0, minor: 20, patch: 3, meta: 0 });
    assertEquals(asked.length, 12 + bytesOf(captured("0.20.3-mixed")).length + 8);
    const none = await get("/stream.rrd?version=0.19.0");
    assertEquals([none.status, await none.text()], [
      404,
      "There is nothing of that version, but of: 0.22.1, 0.20.3, 0.9.1\n",
    ]);
    const metrics = await (await get("/metrics")).text();
    const left = captured("0.9.1-scalars").length * 2 + captured("0.20.3-mixed").length +
      captured("0.22.1-timeonly").length;
    assert(metrics.includes(`left_out_messages_total{reason="otherEncoding"} ${left}\n`), metrics);
  });

  it("lists the newest recordings, and another one, if asked for so many", async () => {
    const hub = madeHub();
    hub.write(Array.from({ length: 9 }, (_, i) => smart(chunk(i, 200, `r${i}`))));
    const { get } = app({ hub });
    const ids = async (query: string) =>
      (await (await get(`/recordings${query}`)).json()).map(({ id }: { id: string }) => id);
    assertEquals((await ids("")).length, 9);
    assertEquals(await ids("?limit=2"), ["r8", "r7"]);
    assertEquals(await ids("?limit=2&also=r3"), ["r8", "r7", "r3"]);
    assertEquals(await ids("?limit=2&also=r8"), ["r8", "r7"]);
    assertEquals(await ids("?limit=0&also=none"), []);
    assertEquals((await get("/recordings?limit=x")).status, 400);
    assertEquals((await (await get("/status")).json()).recordings, 9);
  });

  it("knows each version that logged to one recording, whatever came last", async () => {
    const hub = viewerHub();
    // They are all called "rec-mixed".
    const names = ["0.20.3-mixed", "0.22.1-mixed", "0.20.3-mixed", "0.16.1-mixed"];
    hub.write(names.flatMap(captured).map((msg) => smart(msg)));
    const { get } = app({ hub });
    const [recording] = await (await get("/recordings")).json();
    assertEquals(recording.sdk, "0.22.1");
    for (const [version, patch] of [["", "0.22.1"], ["&version=0.20.3", "0.20.3"]] as const) {
      const query = `${version}&format=as-sent`;
      const file = await read((await get(`/recordings/rec-mixed.rrd?download=1${query}`)).body!);
      const [, minor] = patch.split(".").map(Number);
      assertEquals(decodeRrdHeader(file).version.minor, minor);
    }
    const none = await get("/stream.rrd?version=0.19.0");
    assert((await none.text()).endsWith("but of: 0.22.1, 0.20.3, 0.16.1\n"));
  });

  it("leaves out what is encoded otherwise than the first message", async () => {
    const hub = viewerHub();
    const lz4 = new RrdDecoder().push(fixture("encodings/0.22.1-mixed-msgpack-lz4.rrd")).items;
    hub.write([...captured("0.22.1-timeonly"), ...lz4].map((msg) => smart(msg)));
    const { get } = app({ hub });
    const file = await read((await get("/stream.rrd?download=1&format=as-sent")).body!);
    assertEquals(file.length, 12 + bytesOf(captured("0.22.1-timeonly")).length + 8);
    const metrics = await (await get("/metrics")).text();
    assert(metrics.includes(`reason="otherEncoding"} ${lz4.length}\n`), metrics);
  });

  it("streams protobuf messages and compressed ones as they are", async () => {
    for (const name of ["msgpack-lz4", "protobuf-off", "protobuf-lz4"]) {
      const file = fixture(`encodings/0.22.1-mixed-${name}.rrd`);
      const hub = viewerHub();
      hub.write(new RrdDecoder().push(file).items.map((msg) => smart(msg)));
      const { body } = await app({ hub }).get("/stream.rrd?download=1&format=as-sent");
      assertEquals(await read(body!), file);
    }
  });

  for (const name of ["0.17.0-mixed", "0.18.2-mixed", "0.20.3-mixed", "0.22.1-blueprint"]) {
    it(`gives ${name} in today's form, as \`rrd migrate\` does, but where more is asked`, async () => {
      const hub = viewerHub();
      const msgs = captured(name);
      hub.write(msgs.map((msg) => smart(msg)));
      const { get } = app({ hub });
      const bridge = new Bridge();
      const file = await read((await get("/stream.rrd?download=1")).body!);
      const { items } = bridge.push(msgs);
      const expected = [...BRIDGED_HEADER.bytes, ...bytesOf(items)];
      assertEquals(file.subarray(0, expected.length), Uint8Array.from(expected));
      assertEquals(new RrdDecoder().push(file).items.length, items.length);
      assertEquals(file.subarray(expected.length), endMarker(BRIDGED_HEADER));
      const [recording] = await (await get("/recordings")).json();
      const one = await read((await get(`${recording.url}?download=1`)).body!);
      assertEquals(decodeRrdHeader(one).version, BRIDGED_HEADER.version);
    });
  }

  it("gives all that has today's form in one stream, whatever SDK 0.17 to 0.22 logged it", async () => {
    const hub = viewerHub();
    const names = ["0.16.1-mixed", "0.17.0-mixed", "0.22.1-timeonly", "0.20.3-mixed"];
    const lz4 = new RrdDecoder().push(fixture("encodings/0.22.1-mixed-msgpack-lz4.rrd")).items;
    hub.write([...names.flatMap(captured), ...lz4].map((msg) => smart(msg)));
    const { get } = app({ hub });
    const all = new Bridge().push([...names.slice(1).flatMap(captured), ...lz4]).items.length;
    const file = await read((await get("/stream.rrd?download=1")).body!);
    assertEquals(new RrdDecoder().push(file).items.length, all);
    const asked = await read((await get("/stream.rrd?download=1&version=0.20.3")).body!);
    assertEquals(
      new RrdDecoder().push(asked).items.length,
      new Bridge().push(captured("0.20.3-mixed")).items.length,
    );
    const old = await read((await get("/stream.rrd?download=1&version=0.16.1")).body!);
    assertEquals(old.length, 12 + bytesOf(captured("0.16.1-mixed")).length);
    assertEquals((await get("/stream.rrd?format=new")).status, 400);
    const { hub: { bridge } } = await (await get("/status")).json();
    assert(bridge.bridged >= all - names.length, `${bridge.bridged}`);
    assertEquals(bridge.damaged, 0);
  });

  it("waits for the first message, and starts at now if that is asked for", async () => {
    const hub = madeHub();
    const { get } = app({ hub });
    const waiting = await get("/stream.rrd?format=as-sent");
    const [one, two] = [chunk(1, 500), chunk(2, 500)];
    hub.write([smart(one)]);
    const now = await get("/stream.rrd?history=none&format=as-sent");
    hub.write([smart(two)]);
    const first = await read(waiting.body!, 1012);
    assertEquals(first.length, 1012);
    assertEquals(first.subarray(12, 512), one.encoded.bytes);
    assertEquals(first.subarray(512), two.encoded.bytes);
    const second = await read(now.body!, 512);
    assertEquals(second.length, 512);
    assertEquals(second.subarray(12), two.encoded.bytes);
    await waiting.body!.cancel();
    await now.body!.cancel();
    assertEquals(hub.stats.gone.left, 2);
  });

  it("cuts off a stream that is not taken for ten seconds", async () => {
    const clock = new TestClock();
    const hub = madeHub();
    const { get } = app({ hub, now: clock.now, every: clock.every });
    hub.write([smart(chunk(1, 400_000))]);
    const { body } = await get("/stream.rrd");
    const reader = body!.getReader();
    await reader.read();
    clock.pass(9000);
    await reader.read();
    clock.pass(9000);
    await reader.read();
    clock.pass(11_000);
    await assertRejects(() => reader.read(), Error, "stalled");
    assertEquals([hub.stats.gone.stalled, clock.timers], [1, 0]);
    const quiet = (await get("/stream.rrd?history=none")).body!.getReader();
    const pending = quiet.read();
    await turn();
    clock.pass(100_000);
    hub.write([smart(chunk(2, 10))]);
    assertEquals((await pending).done, false);
    await quiet.cancel();
  });

  it("gives a browser a minute, for its viewer stands still before the first picture", async () => {
    const clock = new TestClock();
    const hub = madeHub();
    const { get } = app({ hub, now: clock.now, every: clock.every });
    hub.write([smart(chunk(1, 400_000))]);
    const headers = { "user-agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0.0.0" };
    const reader = (await get("/stream.rrd", { headers })).body!.getReader();
    await reader.read();
    clock.pass(59_000);
    await reader.read();
    clock.pass(61_000);
    await assertRejects(() => reader.read(), Error, "stalled");
  });

  it("names a recording for who keeps it, at its end or while it grows", async () => {
    const { hub, get } = app();
    hub.write([smart(announcement("日本"))]);
    const [{ url }] = await (await get("/recordings")).json();
    for (const query of ["", "?download=1"]) {
      const { headers, body } = await get(`${url}${query}`);
      const name = `attachment; filename="_.rrd"; filename*=UTF-8''%E6%97%A5%E6%9C%AC.rrd`;
      assertEquals(headers.get("content-disposition"), name);
      await body!.cancel();
    }
  });

  it("answers 404 for what is not there, and names nothing a peer chose", async () => {
    const { get, hub } = app();
    assertEquals((await get("/recordings/none.rrd")).status, 404);
    assertEquals((await get("/recordings/none")).status, 404);
    assertEquals((await get("/")).status, 404);
    hub.write([smart(announcement('../"\r\n<ü>\ud800/x'))]);
    const [{ url }] = await (await get("/recordings")).json();
    const response = await get(`${url}?download=1`);
    assertEquals(response.status, 200);
    assertEquals(response.headers.get("content-disposition"), 'attachment; filename="__x.rrd"');
    await response.body!.cancel();
  });

  it("answers HEAD without a viewer, and other methods with 405", async () => {
    const { get, hub } = app();
    const head = await get("/stream.rrd", { method: "HEAD" });
    assertEquals([head.status, head.body, hub.stats.joined], [200, null, 0]);
    const post = await get("/stream.rrd", { method: "POST" });
    assertEquals([post.status, post.headers.get("allow")], [405, "GET, HEAD"]);
  });

  it("guards all but the page's own files and health", async () => {
    const html = { type: "text/html", body: Uint8Array.of(65), etag: '"1"', size: 1 };
    const page = { get: () => Promise.resolve(html) };
    const { get } = app({ guard: viewerGuard({ token: "t" }), page });
    for (const path of ["/recordings", "/recordings/a.rrd", "/stream.rrd", "/status", "/metrics"]) {
      assertEquals((await get(path)).status, 401, path);
    }
    assertEquals((await get("/metrics?token=t")).status, 200);
    const health = await get("/healthz");
    assertEquals([health.status, await health.text()], [200, "ok\n"]);
    assertEquals(health.headers.get("content-type"), "text/plain; charset=utf-8");
    assertEquals((await get("/")).status, 200);
    const { all } = app();
    assertEquals((await all.request("http://evil.example/healthz")).status, 421);
  });

  it("hardens every answer", async () => {
    const { get } = app({ webSocketPort: () => 9877 });
    for (const path of ["/recordings", "/none", "/stream.rrd?version=1.1.1"]) {
      const { headers } = await get(path);
      assertEquals(headers.get("referrer-policy"), "no-referrer");
      assertEquals(headers.get("x-content-type-options"), "nosniff");
      assertEquals(headers.get("cross-origin-resource-policy"), "same-origin");
      assertEquals(headers.get("access-control-allow-origin"), null);
      assert(
        headers.get("content-security-policy")!.includes("connect-src 'self' ws://localhost:9877"),
      );
    }
  });

  it("lets pages of allowed origins read, with an Authorization header too", async () => {
    const guard = viewerGuard({ allowOrigins: ["https://app.example"], token: "t" });
    const { get } = app({ guard });
    const origin = "https://app.example";
    const asked = await get("/recordings", {
      method: "OPTIONS",
      headers: { origin, "access-control-request-headers": "authorization" },
    });
    assertEquals(asked.status, 204);
    assertEquals(asked.headers.get("access-control-allow-headers"), "authorization");
    const answer = await get("/recordings", { headers: { origin, authorization: "Bearer t" } });
    assertEquals(answer.status, 200);
    assertEquals(answer.headers.get("access-control-allow-origin"), origin);
    const other = await get("/recordings", { headers: { origin: "https://b.example" } });
    assertEquals([other.status, other.headers.get("access-control-allow-origin")], [403, null]);
  });

  it("serves the page's files, compressed and cached", async () => {
    const body = Uint8Array.of(1, 2);
    const file = {
      type: "application/wasm",
      body,
      encoding: "gzip" as const,
      etag: '"abc"',
      size: 9,
    };
    const { get } = app({
      page: { get: (path) => Promise.resolve(path === "/v.wasm" ? file : undefined) },
    });
    const response = await get("/v.wasm", { headers: { "accept-encoding": "gzip" } });
    assertEquals(response.headers.get("content-type"), "application/wasm");
    assertEquals(response.headers.get("content-encoding"), "gzip");
    assertEquals(response.headers.get("x-full-length"), "9");
    assertEquals(new Uint8Array(await response.arrayBuffer()), body);
    const again = await get("/v.wasm", { headers: { "if-none-match": 'W/"abc"' } });
    assertEquals([again.status, again.body], [304, null]);
    assertEquals((await get("/other")).status, 404);
  });

  it("says of a fault only that there was one, and keeps tokens out of the log", async () => {
    const lines: string[] = [];
    const log = { enabled: () => true, write: (_: string, text: string) => void lines.push(text) };
    const status = () => {
      throw new Error("broken");
    };
    const { get } = app({ log, status, guard: viewerGuard({ token: "s3cret" }) });
    const response = await get("/status?token=s3cret");
    assertEquals(response.status, 500);
    assert(!(await response.text()).includes("broken"));
    assertEquals(lines, ["Could not answer GET /status: broken"]);
  });

  it("refuses viewers beyond the limit", async () => {
    const { get, hub } = app({ hub: madeHub({ maxViewers: 1 }) });
    const first = await get("/stream.rrd");
    const second = await get("/stream.rrd");
    assertEquals([second.status, second.headers.get("retry-after")], [503, "10"]);
    assertEquals((await get("/stream.rrd", { method: "HEAD" })).status, 503);
    await first.body!.cancel();
    assertEquals((await get("/stream.rrd")).status, 200);
    await hub.close();
  });

  it("can be mounted by another hono app", async () => {
    const { all } = app();
    assert(all instanceof Hono);
    const root = new Hono().get("/", (c) => c.text("mine")).mount("/robot", all.fetch);
    assertEquals(await (await root.request("http://localhost/")).text(), "mine");
    assertEquals(await (await root.request("http://localhost/robot/recordings")).json(), []);
    assertEquals((await root.request("http://evil.example/robot/recordings")).status, 421);
  });

  it("is served by the adapter, where leaving ends the viewer", async () => {
    const { hub, all } = app();
    const { addr, close } = await nodeHttp.serve({
      hostname: "127.0.0.1",
      port: 0,
      handshakeTimeoutSec: 10,
      maxConnections: 10,
      fetch: (request, info) => all.fetch(request, info),
      onError: (error) => {
        throw error;
      },
    });
    hub.write([smart(chunk(1, 200_000))]);
    const controller = new AbortController();
    const url = `http://127.0.0.1:${addr.port}/stream.rrd?format=as-sent`;
    const response = await fetch(url, { signal: controller.signal });
    assertEquals((await read(response.body!, 200_012)).length, 200_012);
    assertEquals(hub.stats.viewers.map(({ transport }) => transport), ["http"]);
    assert(/^127\.0\.0\.1:\d+$/.test(hub.stats.viewers[0]!.addr!));
    controller.abort();
    while (hub.stats.gone.left === 0) await turn();
    const last = await fetch(url);
    await hub.close();
    assertEquals((await read(last.body!)).length, 200_012);
    await close();
  });
});
