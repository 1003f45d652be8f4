import { Buffer } from "node:buffer";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { s3Target } from "../../lib/forward/s3_target.ts";
import { TargetRefused, TargetUnfit } from "../../lib/forward/target.ts";
import type { ClosedFile, FileTarget } from "../../lib/forward/target.ts";
import { seeded } from "../random.ts";
import { keptLog } from "../sinks/messages.ts";
import { FakeS3 } from "./fake_s3.ts";

const MB = 1024 * 1024;
const FOREVER = new AbortController().signal;
const credentials = { accessKeyId: "me", secretAccessKey: "secret" };

/** Bytes that repeat nowhere, so that parts in another order are seen. */
function noise(length: number): Uint8Array<ArrayBuffer> {
  const random = seeded(length);
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = random() * 256;
  return bytes;
}

/** A target, and what it uploads to and from. */
function setUp(contents: Readonly<Record<string, Uint8Array>>) {
  const s3 = new FakeS3();
  const log = keptLog();
  const closed: string[] = [];
  const files = {
    openAt(path: string) {
      const bytes = contents[path];
      if (bytes === undefined) return Promise.reject(new Error("no such file"));
      return Promise.resolve({
        size: bytes.length,
        readAt(at: number, into: Uint8Array) {
          // Systems may give less than they are asked for.
          const read = bytes.subarray(at, at + Math.min(into.length, 3 * MB));
          into.set(read);
          return Promise.resolve(read.length);
        },
        close: () => Promise.resolve(void closed.push(path)),
      });
    },
  };
  const { fetch } = s3;
  const target = s3Target("s3://bucket/box-7/", {
    ...{ credentials, files, log, fetch, endpoint: "http://store.example:9000/" },
  });
  const send = (file: ClosedFile) => target.sendFile(file, FOREVER);
  return { s3, log, closed, files, target, send };
}

function sendTo(target: FileTarget): Promise<void> {
  return target.sendFile(fileOf("a.rrd", "id-1"), FOREVER);
}

function fileOf(path: string, id: string): ClosedFile {
  return { id, path, name: path, bytes: 0 };
}

/** Three parts of 16 MiB each, the last of them short. */
const LONG_FILE = noise(33 * MB);

describe("s3Target", () => {
  it("uploads a short file at once, under the prefix and its name", async () => {
    const bytes = noise(1000);
    const { s3, send, closed } = setUp({ "a b/ü+1.rrd": bytes });
    await send(fileOf("a b/ü+1.rrd", "id-1"));
    assertEquals([...s3.objects.keys()], ["box-7/a b/ü+1.rrd"]);
    assertEquals(s3.objects.get("box-7/a b/ü+1.rrd")?.bytes, bytes);
    assertEquals(closed, ["a b/ü+1.rrd"]);
  });

  it("uploads a long file in parts", async () => {
    const { s3, send } = setUp({ "a.rrd": LONG_FILE });
    await send(fileOf("a.rrd", "id-1"));
    const object = s3.objects.get("box-7/a.rrd")!;
    assert(Buffer.compare(object.bytes, LONG_FILE) === 0);
    assert(object.checksum.endsWith("-3"), object.checksum);
    assertEquals(s3.open.size, 0);
  });

  it("reads the disk where nothing else is named", async () => {
    const folder = await mkdtemp(join(tmpdir(), "rerelay-s3-"));
    try {
      const path = join(folder, "a.rrd");
      await writeFile(path, noise(1000));
      const s3 = new FakeS3();
      const { fetch } = s3;
      const target = s3Target("s3://bucket/", { credentials, fetch, endpoint: "http://x:9000" });
      await target.sendFile({ ...fileOf(path, "id-1"), name: "a.rrd" }, FOREVER);
      assertEquals(s3.objects.get("a.rrd")?.bytes, noise(1000));
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("refuses a file that is gone, and tries one again that can't be read now", async () => {
    const contents: Record<string, Uint8Array> = {};
    const { target } = setUp(contents);
    await assertRejects(() => target.sendFile(fileOf("a.rrd", "id-1"), FOREVER), TargetRefused);
    const files = {
      openAt: () => Promise.reject(Object.assign(new Error("too many"), { code: "EMFILE" })),
    };
    const other = s3Target("s3://bucket/", { credentials, files });
    const error = await other.sendFile(fileOf("a.rrd", "id-1"), FOREVER).catch((error) => error);
    assert(error instanceof Error && !(error instanceof TargetRefused), String(error));
  });

  it("does not send again what is there", async () => {
    const { s3, send } = setUp({ "a.rrd": noise(1000) });
    await send(fileOf("a.rrd", "id-1"));
    s3.asked.length = 0;
    await send(fileOf("a.rrd", "id-1"));
    assertEquals(s3.asked, ["HEAD box-7/a.rrd"]);
  });

  it("replaces what was there of the same file when it has got its chunk index", async () => {
    const { s3, send } = setUp({ "a.rrd": noise(1000), "longer.rrd": noise(1200) });
    await send(fileOf("a.rrd", "id-1"));
    await send({ ...fileOf("longer.rrd", "id-1"), name: "a.rrd" });
    assertEquals(s3.objects.get("box-7/a.rrd")?.bytes.length, 1200);
  });

  it("leaves another box's file of the same name, and says so once", async () => {
    const { s3, send, log } = setUp({ "a.rrd": noise(1000) });
    await send(fileOf("a.rrd", "11111111-1111"));
    for (let time = 0; time < 2; time++) await send(fileOf("a.rrd", "2222-22223333"));
    assertEquals([...s3.objects.keys()], ["box-7/a.rrd", "box-7/a.22222222.rrd"]);
    assertEquals(s3.objects.get("box-7/a.rrd")?.id, "11111111-1111");
    assertEquals(log.lines, [[
      "warn",
      "s3://bucket/box-7/ has another file a.rrd: this one is uploaded as box-7/a.22222222.rrd",
    ]]);
  });

  it("goes on where an upload broke off, and says why it did", async () => {
    const { s3, send } = setUp({ "a.rrd": LONG_FILE });
    s3.instead = (method, path) =>
      method === "PUT" && path.includes("partNumber=2")
        ? new Response("<Error><Code>SlowDown</Code><Message>Later &amp; less</Message></Error>", {
          status: 503,
        })
        : undefined;
    const error = await assertRejects(() => send(fileOf("a.rrd", "id-1")), Error);
    assertEquals(
      error.message,
      "s3://bucket/box-7/: S3 answers 503, SlowDown, Later & less (PUT box-7/a.rrd)",
    );
    s3.instead = () => undefined;
    s3.asked.length = 0;
    await send(fileOf("a.rrd", "id-1"));
    assertEquals(s3.asked.map((text) => text.replace("box-7/a.rrd ", "")), [
      "HEAD box-7/a.rrd",
      "PUT partNumber uploadId",
      "PUT partNumber uploadId",
      "POST uploadId",
      "HEAD box-7/a.rrd",
    ]);
    assert(Buffer.compare(s3.objects.get("box-7/a.rrd")!.bytes, LONG_FILE) === 0);
    assertEquals(s3.open.size, 0);
  });

  it("begins anew an upload that S3 does not know any more, or can't complete", async () => {
    for (const byRule of [true, false]) {
      const { s3, send } = setUp({ "a.rrd": LONG_FILE });
      s3.instead = (method, path) => {
        if (method !== "POST" || !path.includes("uploadId")) return undefined;
        if (byRule) s3.open.clear();
        return byRule ? undefined : new Response("<Error><Code>InvalidPart</Code></Error>");
      };
      await assertRejects(
        () => send(fileOf("a.rrd", "id-1")),
        Error,
        byRule ? "404" : "InvalidPart",
      );
      assertEquals(s3.open.size, 0);
      s3.instead = () => undefined;
      await send(fileOf("a.rrd", "id-1"));
      assert(Buffer.compare(s3.objects.get("box-7/a.rrd")!.bytes, LONG_FILE) === 0);
    }
  });

  it("leaves no parts behind of what broke off and is not sent any more", async () => {
    const { s3, send, target } = setUp({ "a.rrd": LONG_FILE, "b.rrd": noise(9) });
    const isCut = (method: string, path: string) => {
      if (method !== "HEAD" && !path.includes("partNumber=1")) throw new TypeError("no route");
      return undefined;
    };
    // Begun while the link is there, and cut, so that it can't be given up at once.
    const breakOff = async (id: string) => {
      s3.instead = (method, path) => method === "POST" ? undefined : isCut(method, path);
      await assertRejects(() => send(fileOf("a.rrd", id)), Error, "no route");
      assertEquals(s3.open.size, 1);
    };
    await breakOff("id-1");
    await assertRejects(() => send(fileOf("b.rrd", "id-2")), Error, "no route");
    assertEquals(s3.open.size, 1);
    s3.instead = () => undefined;
    await send(fileOf("b.rrd", "id-2"));
    assertEquals(s3.open.size, 0);
    await breakOff("id-3");
    s3.instead = () => undefined;
    await target.close();
    assertEquals(s3.open.size, 0);
  });

  it("signs by the clock of S3 where that of the machine is wrong", async () => {
    const now = Date.UTC(2026, 10, 30);
    let date = Date.UTC(1970, 0, 1);
    const s3 = new FakeS3();
    const dates: string[] = [];
    const target = s3Target("s3://bucket", {
      ...{ credentials, endpoint: "http://x:9000", date: () => date },
      fetch: (request) => {
        const signed = request.headers.get("x-amz-date")!;
        dates.push(signed);
        const headers = { date: new Date(now).toUTCString() };
        if (!signed.startsWith("20261130")) {
          return Promise.resolve(new Response(null, { status: 403, headers }));
        }
        return s3.fetch(request);
      },
      files: {
        openAt: () =>
          Promise.resolve({
            size: 3,
            readAt: (_: number, into: Uint8Array) => Promise.resolve(into.length),
            close: () => Promise.resolve(),
          }),
      },
    });
    await target.check!(FOREVER);
    await target.sendFile(fileOf("a.rrd", "id-1"), FOREVER);
    // Set right meanwhile.
    date = now;
    await target.sendFile(fileOf("b.rrd", "id-2"), FOREVER);
    assertEquals([...s3.objects.keys()], ["a.rrd", "b.rrd"]);
    assertEquals(dates.slice(0, 2), ["19700101T000000Z", "20261130T000000Z"]);
  });

  it("asks whether there is such a bucket before there is a file", async () => {
    const { s3, target } = setUp({});
    await target.check!(FOREVER);
    assertEquals(s3.asked, ["GET  list-type max-keys prefix"]);
    s3.instead = () =>
      new Response("<Error><Code>NoSuchBucket</Code><Message>m</Message></Error>", { status: 404 });
    const error = await assertRejects(() => target.check!(FOREVER), TargetUnfit);
    assertEquals(
      error.message,
      "s3://bucket/box-7/: S3 answers 404, NoSuchBucket, m (GET the bucket): make the bucket; " +
        "we make none",
    );
    s3.instead = () => new Response("", { status: 503 });
    const late = await target.check!(FOREVER).catch((error) => error);
    assert(late instanceof Error && !(late instanceof TargetUnfit), String(late));
  });

  it("asks Amazon's servers by names that their certificates have", async () => {
    for (
      const [bucket, region, expected] of [
        ["bucket", "eu-west-1", "https://bucket.s3.eu-west-1.amazonaws.com/"],
        ["my.bucket", "eu-west-1", "https://s3.eu-west-1.amazonaws.com/my.bucket/"],
        ["bucket", "cn-north-1", "https://bucket.s3.cn-north-1.amazonaws.com.cn/"],
      ] as const
    ) {
      const asked: string[] = [];
      const target = s3Target(`s3://${bucket}`, {
        ...{ credentials, region },
        fetch({ url }) {
          asked.push(url);
          return Promise.resolve(new Response("<ListBucketResult/>"));
        },
      });
      await target.check!(FOREVER);
      assertEquals(asked.map((url) => url.replace(/\?.*/, "")), [expected]);
    }
  });

  it("refuses an address of the server that is none", () => {
    for (const endpoint of ["10.0.0.5:9000", "ftp://x", "http://", "http://x y"]) {
      const make = () => s3Target("s3://bucket", { credentials, endpoint });
      assertThrows(make, RangeError, "AWS_ENDPOINT_URL");
    }
  });

  it("takes an error that comes with status 200 for one", async () => {
    const { s3, send } = setUp({ "a.rrd": LONG_FILE.subarray(0, 17 * MB) });
    s3.instead = (method, path) =>
      method === "POST" && path.includes("uploadId")
        ? new Response("<Error><Code>InternalError</Code><Message>Oh</Message></Error>")
        : undefined;
    const error = await assertRejects(() => send(fileOf("a.rrd", "id-1")), Error);
    assert(error.message.includes("InternalError, Oh"), error.message);
  });

  it("counts nothing as uploaded that is there otherwise than it was sent", async () => {
    const { s3, send } = setUp({ "a.rrd": noise(1000) });
    const { fetch } = s3;
    for (const damage of [{ bytes: noise(999) }, { checksum: "AAAA" }]) {
      s3.objects.clear();
      s3.instead = (method, path) => {
        const object = s3.objects.get(path);
        if (method === "HEAD" && object) s3.objects.set(path, { ...object, ...damage });
        return undefined;
      };
      const error = await assertRejects(() => send(fileOf("a.rrd", "id-1")), Error);
      assert(error.message.includes("box-7/a.rrd is there with"), error.message);
    }
    assert(fetch !== undefined);
  });

  it("uploads again what it found otherwise than it was sent", async () => {
    for (const bytes of [noise(1000), LONG_FILE]) {
      const { s3, send } = setUp({ "a.rrd": bytes });
      let isDamaged = true;
      s3.instead = (method, path) => {
        const object = s3.objects.get(path);
        // The bytes as well, which no more than their length are seen of.
        const spoilt = { bytes: new Uint8Array(bytes.length), checksum: "AAAA-3" };
        if (isDamaged && method === "HEAD" && object) {
          s3.objects.set(path, { ...object, ...spoilt });
        }
        return undefined;
      };
      await assertRejects(() => send(fileOf("a.rrd", "id-1")), Error, "is there with");
      isDamaged = false;
      await send(fileOf("a.rrd", "id-1"));
      assert(Buffer.compare(s3.objects.get("box-7/a.rrd")!.bytes, bytes) === 0);
      // Now it is there, and not sent once more.
      s3.asked.length = 0;
      await send(fileOf("a.rrd", "id-1"));
      assertEquals(s3.asked, ["HEAD box-7/a.rrd"]);
    }
  });

  it("takes a file in parts whose checksum is one of all bytes, which can't be compared", async () => {
    const { s3, send } = setUp({ "a.rrd": LONG_FILE });
    s3.instead = (method, path) => {
      const object = s3.objects.get(path);
      if (method === "HEAD" && object) s3.objects.set(path, { ...object, checksum: "AAAA" });
      return undefined;
    };
    await send(fileOf("a.rrd", "id-1"));
    assertEquals(s3.objects.size, 1);
  });

  it("leaves nothing behind where the answer to the last request of an upload breaks off", async () => {
    const whole = "<?xml?><CompleteMultipartUploadResult></CompleteMultipartUploadResult>";
    for (
      const [isStored, text] of [[true, whole.slice(0, 40)], [false, "<Error><Code>In"]] as const
    ) {
      const { s3, send } = setUp({ "a.rrd": LONG_FILE });
      let isTold = false;
      s3.instead = (method, path) => {
        if (method !== "POST" || !path.includes("uploadId") || isTold) return undefined;
        isTold = true;
        if (isStored) {
          s3.complete(new URLSearchParams(path.slice(path.indexOf("?"))).get("uploadId")!);
        }
        return new Response(text);
      };
      await assertRejects(
        () => send(fileOf("a.rrd", "id-1")),
        Error,
        "breaks off (POST box-7/a.rrd)",
      );
      s3.asked.length = 0;
      await send(fileOf("a.rrd", "id-1"));
      assert(Buffer.compare(s3.objects.get("box-7/a.rrd")!.bytes, LONG_FILE) === 0);
      assertEquals(s3.open.size, 0);
      assertEquals(s3.asked.filter((asked) => asked.startsWith("PUT")), []);
    }
  });

  it("says what can be done", async () => {
    for (
      const [status, code, advice] of [
        [403, "InvalidAccessKeyId", "look at AWS_ACCESS_KEY_ID"],
        [404, "NoSuchBucket", "make the bucket; we make none"],
        [404, "XAdminUserNotFound", "and at AWS_ACCESS_KEY_ID"],
        [404, "NoSuchUpload", "(PUT box-7/a.rrd)"],
        [400, "Strange", "(PUT box-7/a.rrd)"],
        [400, "A &#34;strange&#34; &amp;#34; one", "(PUT box-7/a.rrd)"],
      ] as const
    ) {
      const { s3, send } = setUp({ "a.rrd": noise(10) });
      s3.instead = (method) =>
        method === "PUT"
          ? new Response(`<Error><Code>${code}</Code><Message>m</Message></Error>`, { status })
          : undefined;
      const error = await assertRejects(() => send(fileOf("a.rrd", "id-1")), Error);
      assert(error.message.endsWith(advice), error.message);
      if (code.startsWith("A ")) assert(error.message.includes('A "strange" &#34; one'));
    }
  });

  it("sends nothing on to another server, and takes no other answer for that of S3", async () => {
    const asked: string[] = [];
    const other = createServer((request, answer) => {
      asked.push(`${request.method}`);
      answer.end();
    }).listen(0, "127.0.0.1");
    const portal = createServer((request, answer) => {
      request.resume();
      const to = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
      const isPage = request.url!.includes("/page/");
      if (isPage) answer.end("<html>Log in</html>");
      else answer.writeHead(307, { location: `${to}${request.url}` }).end();
    }).listen(0, "127.0.0.1");
    await Promise.all([once(other, "listening"), once(portal, "listening")]);
    const url = `http://127.0.0.1:${(portal.address() as AddressInfo).port}`;
    const { files } = setUp({ "a.rrd": noise(10) });
    const target = s3Target("s3://bucket/box-7/", { credentials, files, endpoint: url });
    for (const send of [() => target.check!(FOREVER), () => sendTo(target)]) {
      const { message } = await assertRejects(send, TargetUnfit);
      assert(message.includes("S3 answers 307, it sends on to http://127.0.0.1:"), message);
      assert(message.includes("look at AWS_ENDPOINT_URL"), message);
    }
    const page = s3Target("s3://bucket/box-7/", { credentials, files, endpoint: `${url}/page` });
    const { message } = await assertRejects(() => page.check!(FOREVER), TargetUnfit);
    assert(message.includes("no S3") && message.includes("AWS_ENDPOINT_URL"), message);
    assertEquals(asked, []);
    await Promise.all([target.close(), page.close()]);
    for (const server of [other, portal]) {
      server.close();
      server.closeAllConnections();
    }
  });

  it("says what the runtime says of a connection that fails", async () => {
    const { s3, send } = setUp({ "a.rrd": noise(10) });
    s3.instead = () => {
      throw new TypeError("fetch failed", { cause: new Error("connection refused") });
    };
    const error = await assertRejects(() => send(fileOf("a.rrd", "id-1")), Error);
    assertEquals(error.message, "s3://bucket/box-7/: fetch failed (connection refused)");
  });

  it("says where to look where a certificate is no good, as each runtime tells of it", async () => {
    const { s3, send } = setUp({ "a.rrd": noise(10) });
    const deno = new TypeError("fetch failed", {
      cause: new Error("client error (Connect): invalid peer certificate: UnknownIssuer"),
    });
    const bun = Object.assign(new TypeError("certificate has expired"), {
      code: "CERT_HAS_EXPIRED",
    });
    for (const thrown of [deno, bun]) {
      s3.instead = () => {
        throw thrown;
      };
      const error = await assertRejects(() => send(fileOf("a.rrd", "id-1")), TargetUnfit);
      assert(error.message.includes("certificate, and at the clock"), error.message);
    }
  });

  it("refuses a file that is not there for good, and goes on", async () => {
    const { send } = setUp({});
    const error = await assertRejects(() => send(fileOf("a.rrd", "id-1")), TargetRefused);
    assertEquals([error.scope, error.message], ["batch", "a.rrd can't be uploaded: no such file"]);
  });

  it("ends an upload when it is told to, or closed", async () => {
    for (const byClose of [true, false]) {
      const files = {
        openAt: () =>
          Promise.resolve({
            size: 10,
            readAt: (_: number, into: Uint8Array) => Promise.resolve(into.length),
            close: () => Promise.resolve(),
          }),
      };
      const stop = new AbortController();
      const began = Promise.withResolvers<void>();
      const target = s3Target("s3://bucket", {
        credentials,
        files,
        fetch: ({ signal }) => {
          began.resolve();
          return new Promise((_, reject) =>
            signal.addEventListener("abort", () => reject(signal.reason))
          );
        },
      });
      const sending = target.sendFile(fileOf("a.rrd", "id-1"), stop.signal);
      await began.promise;
      if (byClose) await target.close();
      else stop.abort(new Error("enough"));
      await assertRejects(() => sending, Error, byClose ? "ends" : "enough");
    }
  });

  it("wants a bucket", () => {
    const files = { openAt: () => Promise.reject(new Error()) };
    for (
      const url of [
        "s3://bucket/a/../../other",
        "s3://bucket/.",
        "s3://",
        "s3://B",
        "s3://bucket?x=1",
        "s3:bucket",
        "s3:///x",
        "http://bucket/",
      ]
    ) {
      assertThrows(() => s3Target(url, { credentials, files }), RangeError, "PREFIX");
    }
    assertEquals(
      s3Target("s3://my.bucket/a//b/", { credentials, files }).name,
      "s3://my.bucket/a/b/",
    );
    assertEquals(s3Target("s3://my-bucket", { credentials, files }).name, "s3://my-bucket/");
  });
});
