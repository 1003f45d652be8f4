import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { viewerGuard } from "../../../lib/viewers/serve/guard.ts";
import { httpApp } from "../../../lib/viewers/serve/http_app.ts";
import { messageReaders } from "../../../lib/viewers/serve/read_messages.ts";
import { frame, framesOf } from "../../comms/grpc/frames.ts";
import { TestClock } from "../clock.ts";
import { captured, madeHub, smart } from "../messages.ts";

const BASE = "http://127.0.0.1:9090";
const PATH = "/rerun.sdk_comms.v1alpha1.MessageProxyService/";

function post(method = "ReadMessages", headers: Record<string, string> = {}): Request {
  return new Request(BASE + PATH + method, {
    method: "POST",
    headers: { "content-type": "application/grpc-web+proto", host: "127.0.0.1:9090", ...headers },
    body: frame(new Uint8Array()),
  });
}

function served(token?: string) {
  const hub = madeHub();
  const guard = viewerGuard(token === undefined ? {} : { token });
  const readers = messageReaders(hub, { guard });
  return { hub, readers, app: httpApp({ hub, guard, readers }) };
}

/** The end of an answer, as text. */
const textOf = async (response: Response) => new TextDecoder().decode(await response.bytes());

describe("gRPC-web", () => {
  it("gives what the hub has, and ends well with it", async () => {
    const { hub, readers, app } = served();
    hub.write(captured("0.16.1-mixed").map((msg) => smart(msg)));
    const response = await app.fetch(post());
    assertEquals(response.status, 200);
    assertEquals(response.headers.get("content-type"), "application/grpc-web+proto");
    const text = textOf(response);
    await hub.close();
    assert((await text).endsWith("grpc-status:0\r\n"));
    assert(readers.otherData > 0);
    const metrics = await (await app.request(`${BASE}/metrics`)).text();
    assert(metrics.includes(`reason="otherData"} ${readers.otherData}\n`), metrics);
  });

  it("has a minute in which a page takes nothing, six times as long as other viewers", async () => {
    const clock = new TestClock();
    const hub = madeHub();
    const readers = messageReaders(hub, { now: clock.now, every: clock.every });
    const app = httpApp({ hub, readers });
    // Nobody reads it.
    const response = await app.fetch(post());
    for (let i = 0; i < 40; i++) hub.write(captured("0.22.1-mixed").map((msg) => smart(msg)));
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve));
    clock.pass(55_000);
    assertEquals(hub.stats.gone.stalled, 0);
    clock.pass(6_000);
    assertEquals(hub.stats.gone.stalled, 1);
    await response.body?.cancel();
    await hub.close();
  });

  it("is answered by an app that was given no readers", async () => {
    const hub = madeHub();
    const app = httpApp({ hub });
    hub.write(captured("0.22.1-mixed").map((msg) => smart(msg)));
    const response = await app.fetch(post());
    const bytes = response.bytes();
    await hub.close();
    const messages = framesOf(await bytes);
    // With when the recording began, and how the call ended.
    assertEquals(messages.length, captured("0.22.1-mixed").length + 2);
    assertEquals(new TextDecoder().decode(messages.at(-1)), "grpc-status:0\r\n");
  });

  it("lets pages of the own origin ask first", async () => {
    const { app } = served();
    const response = await app.fetch(
      new Request(BASE + PATH + "ReadMessages", {
        method: "OPTIONS",
        headers: {
          "origin": BASE,
          "access-control-request-method": "POST",
          "access-control-request-headers": "content-type,x-grpc-web",
        },
      }),
    );
    assertEquals(response.status, 204);
    assertEquals(response.headers.get("access-control-allow-headers"), "content-type,x-grpc-web");
    assertEquals(response.headers.get("access-control-allow-methods"), "POST");
  });

  it("refuses pages of other origins and other names", async () => {
    const { app } = served();
    assertEquals(
      (await app.fetch(post("ReadMessages", { origin: "http://a.example" }))).status,
      403,
    );
    assertEquals((await app.fetch(post("ReadMessages", { host: "a.example" }))).status, 421);
  });

  it("takes the token from the cookie that the page was given", async () => {
    const { hub, app } = served("secret");
    const none = await app.fetch(post());
    assert((await textOf(none)).includes("grpc-status:16"));
    const headers = { authorization: "Bearer secret" };
    const first = await app.request(`${BASE}/recordings`, { headers });
    const [cookie = ""] = first.headers.get("set-cookie")?.split(";") ?? [];
    const again = await app.request(`${BASE}/recordings`, { headers: { ...headers, cookie } });
    assertEquals(again.headers.get("set-cookie"), null);
    const response = textOf(await app.fetch(post("ReadMessages", { cookie })));
    await hub.close();
    assert((await response).includes("grpc-status:0"));
    assertEquals((await app.request(`${BASE}/recordings`, { headers: { cookie } })).status, 401);
  });

  for (const method of ["WriteMessages", "WriteTable", "ReadTables"]) {
    it(`says where ${method} goes, and takes nothing of its body`, async () => {
      const { app } = served();
      const text = await textOf(await app.fetch(post(method)));
      assert(/grpc-status:12\r\n/.test(text), text);
      let pulled = 0;
      const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
        pull: (controller) => {
          pulled++;
          controller.enqueue(new Uint8Array(64 * 1024));
        },
      });
      const endless = new Request(post(method), { body, duplex: "half" } as RequestInit);
      assert((await textOf(await app.fetch(endless))).includes("grpc-status:12"));
      assert(pulled <= 3, `${pulled} reads`);
    });
  }

  it("is no way for other methods", async () => {
    const { app } = served();
    assertEquals((await app.fetch(new Request(`${BASE}/`, { method: "POST" }))).status, 405);
  });
});
