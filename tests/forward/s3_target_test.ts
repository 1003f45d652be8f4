import { Buffer } from "node:buffer";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { s3Target } from "../../lib/forward/s3_target.ts";
import { TargetRefused } from "../../lib/forward/target.ts";
import type { ClosedFile } from "../../lib/forward/target.ts";
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
  return { s3, log, closed, target, send };
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

  it("gives an upload up that fails on its way, and says why", async () => {
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
    assertEquals([s3.open.size, s3.objects.size], [0, 0]);
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

  it("says what can be done", async () => {
    for (
      const [status, code, advice] of [
        [403, "InvalidAccessKeyId", "look at AWS_ACCESS_KEY_ID"],
        [404, "NoSuchBucket", "make the bucket; we make none"],
        [400, "Strange", "(PUT box-7/a.rrd)"],
      ] as const
    ) {
      const { s3, send } = setUp({ "a.rrd": noise(10) });
      s3.instead = (method) =>
        method === "PUT"
          ? new Response(`<Error><Code>${code}</Code><Message>m</Message></Error>`, { status })
          : undefined;
      const error = await assertRejects(() => send(fileOf("a.rrd", "id-1")), Error);
      assert(error.message.endsWith(advice), error.message);
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
      const url of ["s3://", "s3://B", "s3://bucket?x=1", "s3:bucket", "s3:///x", "http://bucket/"]
    ) {
      assertThrows(() => s3Target(url, { credentials, files }), RangeError, "s3://BUCKET/PREFIX");
    }
    assertEquals(
      s3Target("s3://my.bucket/a//b/", { credentials, files }).name,
      "s3://my.bucket/a/b/",
    );
    assertEquals(s3Target("s3://my-bucket", { credentials, files }).name, "s3://my-bucket/");
  });
});
