import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "node:test";
import { inTime } from "../../in_time.ts";
import { type MemoryFiles, memoryFiles } from "../../../lib/adapters/files/memory_files.ts";
import { Bridge } from "../../../lib/bridge/mod.ts";
import { RrdDecoder } from "../../../lib/encoding/rrd/rrd_decoder.ts";
import { rrdFileSink, type RrdFileSinkOptions } from "../../../lib/sinks/file/rrd_file.ts";
import { type DownloadStats, NO_DOWNLOADS } from "../../../lib/viewers/files/downloads.ts";
import { isChanged } from "../../../lib/viewers/files/_conditions.ts";
import { viewerGuard } from "../../../lib/viewers/serve/guard.ts";
import { httpApp, type HttpAppOptions } from "../../../lib/viewers/serve/http_app.ts";
import { TestClock } from "../clock.ts";
import { captured, madeHub, smart } from "../messages.ts";
import { QUIT } from "../../sinks/messages.ts";

const HERE = "http://localhost:9090";
const EACH = "rec/{application_id}-{recording_id}-{part}.rrd";
const MIXED = "rerun_example_capture-rec-mixed-0001.rrd";
const DATE = 1_700_000_000_000;

type Json = Record<string, unknown>;

/** A sink that saves what is given, behind an app that shows its files. */
async function saved(
  captures: readonly string[],
  options: Partial<RrdFileSinkOptions> = {},
  appOptions: Partial<HttpAppOptions> = {},
) {
  const files = (options.files ?? memoryFiles()) as MemoryFiles;
  const open = () =>
    rrdFileSink({ path: EACH, shelved: true, date: () => DATE, ...options, files });
  let sink = await open();
  const write = async (name: string) => {
    await sink.write(captured(name).map((msg) => smart(msg)));
    await sink.write([QUIT]);
  };
  for (const name of captures) await write(name);
  const shelf = {
    list: () => sink.shelf!.list(),
    open: (name: string) => sink.shelf!.open(name),
    remove: (name: string) => sink.shelf!.remove(name),
  };
  const app = httpApp({ hub: madeHub(), files: shelf, ...appOptions });
  const get = (path: string, init?: RequestInit) =>
    Promise.resolve(app.request(new URL(path, `${HERE}/`).href, init));
  return {
    files,
    get,
    write,
    list: async (query = "") => await (await get(`files${query}`)).json() as Json[],
    get sink() {
      return sink;
    },
    /** Ends the sink and begins another one in the same folder. */
    async restart() {
      await sink.close();
      sink = await open();
      await sink.recovered;
    },
  };
}

const bytesOf = async (response: Response) => new Uint8Array(await response.arrayBuffer());

describe("GET /files", () => {
  it("lists what is saved from the index, also what is being written, and in later runs", async () => {
    const { list, restart, sink, get } = await saved(["0.22.1-mixed"]);
    await new Promise((resolve) => setTimeout(resolve));
    await sink.write([]);
    const [writing, ...none] = await list();
    assertEquals(none, []);
    assertEquals(writing!["state"], "writing");
    const facts = {
      name: MIXED,
      recording: "rec-mixed",
      recordings: 1,
      applicationId: "rerun_example_capture",
      sdk: "0.22.1",
      first: "2023-11-14T22:13:20.000Z",
      last: "2023-11-14T22:13:20.000Z",
      firstMs: DATE,
      lastMs: DATE,
      damaged: false,
      deletable: false,
      url: `files/${MIXED}`,
    };
    assertEquals({ ...writing, ...facts }, writing);
    await restart();
    const [closed] = await list();
    assertEquals({ ...closed, ...facts }, closed);
    assertEquals([closed!["state"], closed!["messages"]], ["closed", 34]);
    assertEquals((await get(String(closed!["url"]))).status, 200);
  });

  it("searches, sorts and gives pages of it", async () => {
    const app = await saved(["0.22.1-mixed", "0.9.1-scalars", "0.22.1-timeonly"], {
      path: "rec/{recording_id}-{part}.rrd",
    });
    await app.restart();
    const names = async (query: string) => (await app.list(query)).map(({ name }) => name);
    const all = await names("?sort=name");
    assertEquals(all.length, 3);
    assertEquals((await app.list("?search=0.9.1")).map(({ sdk }) => sdk), ["0.9.1"]);
    assertEquals(await names("?search=TIMEONLY%20capture"), ["rec-timeonly-0001.rrd"]);
    assertEquals(await names("?search=nothing"), []);
    assertEquals(await names("?sort=name&limit=1&offset=1"), [all[1]]);
    const page = await app.get("files?sort=name&limit=2&token=x");
    assertEquals(page.headers.get("x-total-count"), "3");
    assertEquals(page.headers.get("link"), '<files?sort=name&limit=2&offset=2>; rel="next"');
    await page.body?.cancel();
    const sizes = (await app.list("?sort=largest")).map(({ bytes }) => Number(bytes));
    assertEquals(sizes, sizes.toSorted((a, b) => b - a));
    for (const wrong of ["limit=x", "offset=-1", "sort=best", `search=${"a".repeat(201)}`]) {
      assertEquals((await app.get(`files?${wrong}`)).status, 400, wrong);
    }
  });

  it("is compressed for whoever takes that, as are the other lists", async () => {
    const { get } = await saved(["0.22.1-mixed"]);
    for (const path of ["files", "recordings", "status", "metrics"]) {
      const plain = await get(path);
      assertEquals(plain.headers.get("content-encoding"), null, path);
      const small = await get(path, { headers: { "accept-encoding": "br, gzip" } });
      assertEquals([small.status, small.headers.get("content-encoding")], [200, "gzip"], path);
      assert(small.headers.get("vary")!.includes("accept-encoding"), path);
      const total = plain.headers.get("x-total-count");
      assertEquals(small.headers.get("x-total-count"), total, path);
      const unzipped = small.body!.pipeThrough(new DecompressionStream("gzip"));
      const before = (text: string) => text.replace(/[\d.]+/g, "N").slice(0, 40);
      assertEquals(before(await new Response(unzipped).text()), before(await plain.text()), path);
      const head = await get(path, { method: "HEAD", headers: { "accept-encoding": "gzip" } });
      assertEquals([head.status, head.body], [200, null], path);
    }
    // What is refused stays a text.
    const wrong = await get("files?sort=best", { headers: { "accept-encoding": "gzip" } });
    assertEquals([wrong.status, wrong.headers.get("content-encoding")], [400, null]);
    await wrong.body?.cancel();
  });

  it("lists thousands in a moment", async () => {
    const { files, restart, list, get } = await saved(["0.22.1-mixed"]);
    await restart();
    const index = `${EACH}.index.jsonl`;
    const lines = new TextDecoder().decode(files.read(index)!).trimEnd().split("\n");
    const line = JSON.parse(lines.at(-1)!);
    const more = Array.from({ length: 5000 }, (_, i) => {
      const part = String(i + 2).padStart(4, "0");
      const name = MIXED.replace("0001", part);
      return { ...line, id: `id-${i}`, name, lastAt: DATE + i };
    });
    const file = await files.create(index, "append");
    await file.write(
      new TextEncoder().encode(more.map((line) => `${JSON.stringify(line)}\n`).join("")),
    );
    for (const { name } of more) await (await files.create(`rec/${name}`, "new")).close();
    await restart();
    await inTime(async () => {
      const start = performance.now();
      const page = await list("?limit=200&search=mixed");
      const took = performance.now() - start;
      assertEquals([page.length, page[0]!["name"]], [200, more.at(-1)!.name]);
      assert(took < 1500, `it took ${took} ms`);
    });
    assertEquals((await get("files?limit=1")).headers.get("x-total-count"), "5001");
  });

  it("leaves out what somebody took away", async () => {
    const { files, restart, list, get } = await saved(["0.22.1-mixed", "0.22.1-timeonly"]);
    await restart();
    await files.remove(`rec/${MIXED}`);
    assertEquals((await get(`files/${MIXED}`)).status, 404);
    assertEquals((await list()).length, 1);
    const [other] = await list();
    await files.remove(`rec/${other!["name"]}`);
    await restart();
    assertEquals(await list(), []);
  });

  it("asks for the token, and for its own host and origin, as /recordings does", async () => {
    const guard = viewerGuard({ token: "secret", allowOrigins: ["https://friend.example"] });
    const { get } = await saved(["0.22.1-mixed"], {}, { guard });
    const headers = { authorization: "Bearer secret" };
    for (const path of ["files", `files/${MIXED}`]) {
      assertEquals((await get(path)).status, 401);
      assertEquals((await get(`${path}?token=secret`)).status, 200);
      assertEquals((await get(path, { headers })).status, 200);
      const origin = "http://evil.example";
      assertEquals((await get(path, { headers: { ...headers, origin } })).status, 403);
      assertEquals(
        (await get(path, { headers: { ...headers, host: "evil.example" } })).status,
        421,
      );
      const friend = await get(path, { headers: { ...headers, origin: "https://friend.example" } });
      assertEquals(
        friend.headers.get("access-control-allow-origin"),
        "https://friend.example",
        path,
      );
      assert(friend.headers.get("access-control-expose-headers")?.includes("content-range"));
    }
  });
});

describe("GET /files/NAME", () => {
  it("gives the file as it stands on the disk, with its name", async () => {
    const { files, restart, get } = await saved(["0.22.1-mixed"]);
    await restart();
    const whole = files.read(`rec/${MIXED}`)!;
    const response = await get(`files/${MIXED}`);
    assertEquals(response.headers.get("content-length"), String(whole.length));
    assertEquals(response.headers.get("accept-ranges"), "bytes");
    assertEquals(
      response.headers.get("content-disposition"),
      `attachment; filename="${MIXED}"`,
    );
    assertEquals(await bytesOf(response), new Uint8Array(whole));
    const head = await get(`files/${MIXED}`, { method: "HEAD" });
    assertEquals([head.status, head.body], [200, null]);
    for (const name of ["content-length", "etag", "accept-ranges", "content-disposition"]) {
      assertEquals(head.headers.get(name), response.headers.get(name), name);
    }
  });

  it("gives parts of it, and knows whether it is the same still", async () => {
    const { files, restart, get } = await saved(["0.22.1-mixed"]);
    await restart();
    const whole = new Uint8Array(files.read(`rec/${MIXED}`)!);
    const { length } = whole;
    const part = (range: string, more: Record<string, string> = {}) =>
      get(`files/${MIXED}`, { headers: { range, ...more } });
    for (
      const [range, start, end] of [
        ["bytes=0-0", 0, 1],
        ["bytes=10-19", 10, 20],
        ["bytes=10-", 10, length],
        ["bytes=-7", length - 7, length],
        [`bytes=5-${length * 10}`, 5, length],
        [`bytes=-${length * 10}`, 0, length],
      ] as const
    ) {
      const response = await part(range);
      assertEquals(response.status, 206, range);
      const { headers } = response;
      assertEquals(headers.get("content-range"), `bytes ${start}-${end - 1}/${length}`, range);
      assertEquals(headers.get("content-length"), String(end - start), range);
      assertEquals(await bytesOf(response), whole.subarray(start, end), range);
    }
    for (const range of ["bytes=1-0", "bytes=0-1,3-4", "lines=1-2", "bytes=a-b", "bytes=-"]) {
      assertEquals((await bytesOf(await part(range))).length, length, range);
    }
    for (const range of [`bytes=${length}-`, "bytes=-0"]) {
      const response = await part(range);
      assertEquals(response.status, 416, range);
      assertEquals(response.headers.get("content-range"), `bytes */${length}`);
      await response.body?.cancel();
    }
    const etag = (await get(`files/${MIXED}`)).headers.get("etag")!;
    assertEquals((await part("bytes=0-3", { "if-range": etag })).status, 206);
    assertEquals((await part("bytes=0-3", { "if-range": '"other"' })).status, 200);
    assertEquals((await part("bytes=0-3", { "if-range": `W/${etag}` })).status, 200);
    const not = await get(`files/${MIXED}`, { headers: { "if-none-match": `"a", W/${etag}` } });
    assertEquals([not.status, not.body, not.headers.get("etag")], [304, null, etag]);
  });

  it("gives nothing of a file that changed to whoever wants it as it was", async () => {
    const { restart, get } = await saved(["0.22.1-mixed"]);
    await restart();
    const asked = async (headers: Record<string, string>) => {
      const response = await get(`files/${MIXED}`, { headers: { range: "bytes=1-", ...headers } });
      await response.body?.cancel();
      return response.status;
    };
    const etag = (await get(`files/${MIXED}`, { method: "HEAD" })).headers.get("etag")!;
    assertEquals(await asked({ "if-match": `"a", ${etag}` }), 206);
    assertEquals(await asked({ "if-match": "*" }), 206);
    assertEquals(await asked({ "if-match": '"a"' }), 412);
    assertEquals(await asked({ "if-match": `W/${etag}` }), 412);
    const isSame = (headers: Record<string, string>) =>
      !isChanged(new Headers(headers), etag, DATE + 400);
    const before = new Date(DATE - 1000).toUTCString();
    assertEquals(isSame({ "if-unmodified-since": new Date(DATE).toUTCString() }), true);
    assertEquals(isSame({ "if-unmodified-since": before }), false);
    assertEquals(isSame({ "if-unmodified-since": "some day" }), true);
    // The tag counts where both are given.
    assertEquals(isSame({ "if-match": etag, "if-unmodified-since": before }), true);
  });

  it("gives what is whole of a file that is being written, and another tag once it is more", async () => {
    const { sink, get, write, files } = await saved(["0.22.1-mixed"], { path: "one.rrd" });
    await sink.write([]);
    await new Promise((resolve) => setTimeout(resolve, 10));
    const first = await get("files/one.rrd");
    const bytes = await bytesOf(first);
    assertEquals(new RrdDecoder().push(bytes).items.length, 34);
    await write("0.22.1-timeonly");
    await new Promise((resolve) => setTimeout(resolve, 10));
    const etag = first.headers.get("etag")!;
    const second = await get("files/one.rrd");
    assert(second.headers.get("etag") !== etag);
    const more = await bytesOf(second);
    assert(more.length > bytes.length);
    assertEquals(more.subarray(0, bytes.length), bytes);
    // Whoever has a part of what was there before gets the rest of that, and not all from the start.
    const part = (header: string, tag = etag) =>
      get("files/one.rrd", { headers: { range: "bytes=100-", [header]: tag } });
    for (const header of ["if-range", "if-match"]) {
      const rest = await part(header);
      assertEquals([rest.status, rest.headers.get("etag")], [206, etag], header);
      const range = `bytes 100-${bytes.length - 1}/${bytes.length}`;
      assertEquals(rest.headers.get("content-range"), range);
      assertEquals(await bytesOf(rest), bytes.subarray(100));
    }
    for (const other of [etag.replace(/\d+"$/, '999999999"'), etag.replace('"', '"0'), '"x"']) {
      const all = await part("if-range", other);
      assertEquals([all.status, (await bytesOf(all)).length], [200, more.length], other);
    }
    await sink.close();
    const late = await part("if-range");
    assertEquals(late.status, 200);
    await late.body?.cancel();
    const closed = await bytesOf(await get("files/one.rrd"));
    assertEquals(closed, new Uint8Array(files.read("one.rrd")!));
  });

  it("gives what was opened, though the file is closed, renamed or removed meanwhile", async () => {
    const { sink, files, restart, get } = await saved(["0.22.1-mixed"], { path: "one.rrd" });
    await new Promise((resolve) => setTimeout(resolve, 10));
    const writing = await get("files/one.rrd");
    await sink.close();
    assertEquals(new RrdDecoder().push(await bytesOf(writing)).items.length, 34);
    const whole = new Uint8Array(files.read("one.rrd")!);
    const closed = await get("files/one.rrd");
    await files.remove("one.rrd");
    assertEquals(await bytesOf(closed), whole);
    assert(restart !== undefined);
  });

  it("gives today's form of what SDK 0.17 to 0.22 logged, where that is asked for", async () => {
    const { restart, get } = await saved(["0.20.3-mixed"]);
    await restart();
    const path = `files/${MIXED}`;
    const asSent = await bytesOf(await get(`${path}?format=as-sent`));
    assertEquals(asSent, await bytesOf(await get(path)));
    const response = await get(`${path}?format=current`, { headers: { range: "bytes=0-3" } });
    assertEquals([response.status, response.headers.get("accept-ranges")], [200, "none"]);
    const { items, error } = new RrdDecoder().push(await bytesOf(response));
    assertEquals(error, undefined);
    const bridge = new Bridge();
    const expected = bridge.push(captured("0.20.3-mixed")).items;
    assertEquals(items.map(({ kind }) => kind), expected.map(({ kind }) => kind));
    assertEquals(items[0]!.encoded.header.version.minor, 23);
    assertEquals((await get(`${path}?format=best`)).status, 400);
  });

  it("does not touch what SDK 0.23 and later logged", async () => {
    const { sink, get } = await saved([], { path: "one.rrd" });
    await sink.write(captured("0.22.1-mixed").map((msg) => smart(new Bridge().bridge(msg))));
    await new Promise((resolve) => setTimeout(resolve, 10));
    const current = await get("files/one.rrd?format=current", { headers: { range: "bytes=0-3" } });
    assertEquals([current.status, (await bytesOf(current)).length], [206, 4]);
  });

  it("leads nowhere, whatever the name is", async () => {
    const { files, restart, get } = await saved(["0.22.1-mixed"]);
    await restart();
    await (await files.create("secret.rrd", "new")).write(Uint8Array.of(1));
    await (await files.create("rec/other.rrd", "new")).write(Uint8Array.of(1));
    const names = [
      "../secret.rrd",
      "..%2Fsecret.rrd",
      "%2e%2e%2fsecret.rrd",
      "..%5Csecret.rrd",
      "%252e%252e%252fsecret.rrd",
      "%2Fsecret.rrd",
      "%2Fetc%2Fpasswd",
      "rec%2F..%2Fsecret.rrd",
      "other.rrd",
      `${MIXED}%00.txt`,
      `${MIXED}.part`,
      `.%2F${MIXED}`,
      `${EACH}.index.jsonl`,
      "%",
      "%ff%fe",
      "constructor",
      "__proto__",
      "%F0%9F%92%A9".repeat(2000),
    ];
    for (const name of names) {
      const response = await get(`files/${name}`);
      assertEquals(response.status, 404, name);
      await response.body?.cancel();
    }
  });

  it("gives names back as they are, whatever is in them", async () => {
    const app = await saved([], { path: "rec/Robotör 100%25 #1 [a].rrd" });
    await app.write("0.22.1-mixed");
    await app.sink.close();
    const [file] = await app.list();
    assertEquals(file!["name"], "Robotör 100%25 #1 [a].rrd");
    const response = await app.get(String(file!["url"]));
    assertEquals(response.status, 200);
    assertEquals(
      response.headers.get("content-disposition"),
      `attachment; filename="Robot_r_100_25_1_a_.rrd"; ` +
        `filename*=UTF-8''Robot%C3%B6r%20100%2525%20%231%20%5Ba%5D.rrd`,
    );
  });

  it("counts what is given, to whom and how it ended, and tells of what broke off", async () => {
    const clock = new TestClock();
    const lines: string[] = [];
    const log = { enabled: () => true, write: (_: unknown, text: string) => void lines.push(text) };
    const { files, sink, get } = await saved(["0.22.1-mixed"], { path: "one.rrd" }, {
      ...{ stallTimeoutSec: 10, now: clock.now, every: clock.every, log },
    });
    await sink.close();
    const { length } = files.read("one.rrd")!;
    const downloads = async () => {
      const { downloads } = await (await get("status")).json() as Json;
      return downloads as DownloadStats;
    };
    assertEquals(await downloads(), NO_DOWNLOADS);
    await bytesOf(await get("files/one.rrd"));
    await bytesOf(await get("files/one.rrd", { headers: { range: "bytes=0-9" } }));
    for (const init of [{ method: "HEAD" }, { headers: { range: `bytes=${length}-` } }]) {
      await (await get("files/one.rrd", init)).body?.cancel();
    }
    const current = await get("files/one.rrd?format=current");
    const stands = await get("files/one.rrd");
    assertEquals((await downloads()).open, [
      { id: 3, addr: null, name: "one.rrd", bytes: 0, ofBytes: null },
      { id: 4, addr: null, name: "one.rrd", bytes: 0, ofBytes: length },
    ]);
    await current.body!.cancel();
    clock.pass(61_000);
    await assertRejects(() => stands.body!.getReader().read(), Error, "took nothing for too long");
    const breaks = await get("files/one.rrd");
    await (await files.create("one.rrd", "append")).truncate(0);
    await assertRejects(() => bytesOf(breaks), Error, "the file was cut at byte");
    const { open, begun, refused, bytes, ended, removed } = await downloads();
    assertEquals([open, begun, refused, removed], [[], 5, 0, 0]);
    assertEquals(bytes, length + 10);
    assertEquals(ended, { whole: 2, left: 1, stalled: 1, failed: 1 });
    assertEquals(lines, [
      'Cut off the download of "one.rrd" by download 4 after 0 bytes: it took nothing for too long',
      'Could not read on in "one.rrd" for download 5: the file was cut at byte 0 while it was read',
    ]);
    const metrics = await (await get("metrics")).text();
    for (
      const line of [
        "rerelay_downloads 0",
        "rerelay_downloads_begun_total 5",
        'rerelay_downloads_ended_total{reason="stalled"} 1',
        `rerelay_download_bytes_total ${length + 10}`,
      ]
    ) assert(metrics.includes(`\n${line}\n`), line);
  });

  it("lets go of the file of who takes nothing, and of who leaves", async () => {
    const clock = new TestClock();
    const { files, sink, get } = await saved(["0.22.1-mixed"], { path: "one.rrd" }, {
      stallTimeoutSec: 10,
      now: clock.now,
      every: clock.every,
    });
    await new Promise((resolve) => setTimeout(resolve, 10));
    const many = [];
    for (let i = 0; i < 64; i++) many.push(await get("files/one.rrd"));
    const full = await get("files/one.rrd");
    assertEquals([full.status, full.headers.get("retry-after")], [503, "10"]);
    await many[0]!.body!.cancel();
    await new Promise((resolve) => setTimeout(resolve, 10));
    assertEquals((await get("files/one.rrd", { method: "HEAD" })).status, 200);
    clock.pass(61_000);
    await new Promise((resolve) => setTimeout(resolve, 10));
    await bytesOf(await get("files/one.rrd"));
    await sink.close();
    assert(files.paths.includes("one.rrd"));
  });
});

describe("DELETE /files/NAME", () => {
  const guard = viewerGuard({ token: "secret" });
  const headers = { authorization: "Bearer secret" };
  const removed = (name = MIXED, init: RequestInit = {}) =>
    [`files/${name}`, { method: "DELETE", headers, ...init }] as const;

  it("removes a closed file and its line of the index, for who has the token in a header", async () => {
    const app = await saved(["0.22.1-mixed", "0.22.1-timeonly"], {}, { guard, allowDelete: true });
    await app.restart();
    const token = "?token=secret";
    assertEquals((await app.list(token)).map(({ deletable }) => deletable), [true, true]);
    const response = await app.get(...removed());
    assertEquals([response.status, response.body], [204, null]);
    assertEquals(app.files.read(`rec/${MIXED}`), undefined);
    assertEquals((await app.get(...removed())).status, 404);
    const metrics = await (await app.get(`metrics${token}`)).text();
    assert(metrics.includes("\nrerelay_removed_files_total 1\n"));
    assertEquals((await app.list(token)).length, 1);
    await app.restart();
    assertEquals((await app.list(token)).length, 1);
  });

  it("is for nobody else", async () => {
    const app = await saved(["0.22.1-mixed"], {}, { guard, allowDelete: true });
    await app.restart();
    const cookie = guard.tokenCookie({ url: `${HERE}/?token=secret`, headers: new Headers() })!;
    const refused = async (status: number, init: RequestInit, query = "") => {
      const response = await app.get(`files/${MIXED}${query}`, { method: "DELETE", ...init });
      assertEquals(response.status, status, await response.text());
      assert(app.files.read(`rec/${MIXED}`) !== undefined);
    };
    await refused(401, {});
    await refused(401, {}, "?token=secret");
    await refused(401, { headers: { cookie: cookie.split(";")[0]! } });
    await refused(401, { headers: { authorization: "Bearer wrong" } }, "?token=secret");
    await refused(403, { headers: { ...headers, origin: "http://evil.example" } });
    await refused(403, { headers: { ...headers, "sec-fetch-site": "cross-site" } });
    await refused(421, { headers: { ...headers, host: "evil.example" } });
  });

  it("is not there unless it was allowed, nor where no token is set", async () => {
    const not = await saved(["0.22.1-mixed"], {}, { guard });
    await not.restart();
    const response = await not.get(...removed());
    assertEquals([response.status, response.headers.get("allow")], [405, "GET, HEAD"]);
    assert((await response.text()).includes("--allow-delete"));
    assertEquals((await not.list("?token=secret"))[0]!["deletable"], false);
    const open = await saved(["0.22.1-mixed"], {}, { allowDelete: true });
    await open.restart();
    assertEquals((await open.get(...removed())).status, 403);
    for (const { files } of [not, open]) assert(files.read(`rec/${MIXED}`) !== undefined);
  });

  it("leaves alone what is being written, and what is not listed", async () => {
    const app = await saved(["0.22.1-mixed"], { path: "one.rrd" }, { guard, allowDelete: true });
    assertEquals((await app.get(...removed("one.rrd"))).status, 409);
    await (await app.files.create("other.rrd", "new")).close();
    for (const name of ["other.rrd", "..%2Fother.rrd", "one.rrd.index.jsonl", "one.rrd.part"]) {
      assertEquals((await app.get(...removed(name))).status, 404, name);
    }
    await app.sink.close();
    assertEquals(app.files.paths.toSorted(), ["one.rrd", "one.rrd.index.jsonl", "other.rrd"]);
  });

  it("removes the original of a recovered file with it", async () => {
    const files = memoryFiles();
    const app = await saved(["0.22.1-mixed"], { files }, { guard, allowDelete: true });
    await app.sink.close();
    // What a power cut leaves: the file still has its first name, and zeros in it.
    const whole = new Uint8Array(files.read(`rec/${MIXED}`)!);
    const index = `${EACH}.index.jsonl`;
    const path = files.paths.find((path) => path.endsWith(index))!;
    const torn = await files.create(`rec/${MIXED}.part`, "new");
    await torn.write(whole.fill(0, 30_000, 40_000));
    await files.remove(`rec/${MIXED}`);
    const lines = new TextDecoder().decode(files.read(path)!).trimEnd().split("\n");
    const line = { ...JSON.parse(lines.at(-1)!), state: "writing" };
    const appended = await files.create(path, "append");
    await appended.write(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
    await app.restart();
    const [recovered] = await app.list("?token=secret");
    assertEquals([recovered!["damaged"], recovered!["state"]], [true, "closed"]);
    const name = String(recovered!["name"]);
    assert(files.read(`rec/${name}.damaged`) !== undefined, files.paths.join());
    assertEquals((await app.get(...removed(name))).status, 204);
    assertEquals(files.paths, [path]);
  });

  it("tells what the disk says", async () => {
    const fails = { is: false };
    const files = memoryFiles(({ kind }) => {
      if (fails.is && kind === "remove") throw new Error("read-only file system");
    });
    const app = await saved(["0.22.1-mixed"], { files }, { guard, allowDelete: true });
    await app.restart();
    fails.is = true;
    const response = await app.get(...removed());
    assertEquals(response.status, 500);
    assert((await response.text()).includes("read-only file system"));
    assertEquals((await app.list("?token=secret")).length, 1);
  });

  it("removes nothing, and forgets nothing, while the drive of the recordings is away", async () => {
    const memory = memoryFiles();
    let isAway = false;
    const files = {
      ...memory,
      identity: () => Promise.resolve(isAway ? "mount point" : "drive"),
      kind: (path: string) => isAway ? Promise.resolve(undefined) : memory.kind(path),
    };
    const app = await saved(["0.22.1-mixed"], { files }, { guard, allowDelete: true });
    await app.restart();
    isAway = true;
    assertEquals((await app.get(`files/${MIXED}?token=secret`)).status, 404);
    const response = await app.get(...removed());
    assertEquals(response.status, 500);
    assert((await response.text()).includes("the folder of the recordings is not there now"));
    isAway = false;
    assertEquals((await app.list("?token=secret")).map(({ name }) => name), [MIXED]);
    await bytesOf(await app.get(`files/${MIXED}?token=secret`));
    assertEquals((await app.get(...removed())).status, 204);
    assertEquals(memory.read(`rec/${MIXED}`), undefined);
  });
});
