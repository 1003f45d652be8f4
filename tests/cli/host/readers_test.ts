import { assert, assertEquals } from "@std/assert";
import { connect } from "node:net";
import { describe, it } from "node:test";
import { callBody, field, frame, framesOf, textField } from "../../comms/grpc/frames.ts";
import { fixture } from "../../fixtures.ts";
import { Cli } from "../cli_process.ts";
import { call } from "./h2_client.ts";

const PORTS = ["--port", "0", "--ws-server-port", "0", "--web-viewer-port", "0"];
const ASK = frame(new Uint8Array());
const BODY = callBody("0.41.0");
const COUNT = framesOf(BODY).length;

async function started(args: readonly string[] = [], env: Record<string, string> = {}) {
  const cli = new Cli(["--serve-grpc", ...PORTS, ...args], { env });
  const [, sdk] = await cli.sees(/SDK server over TCP at \S+:(\d+)\./);
  const [, page] = await cli.sees(/web viewer at http:\/\/\S+:(\d+)\//);
  return { cli, sdk: Number(sdk), page: Number(page) };
}

/** Sends what an SDK of the TCP protocol sent. */
function replay(port: number, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.end(fixture(`captures/${name}.bin`)));
    socket.once("error", reject).once("close", () => resolve()).resume();
  });
}

const sorted = (messages: readonly Uint8Array[]) => messages.map((m) => m.join()).sort();

/** Asks by gRPC-web, as a viewer in a browser does. */
function askWeb(port: number, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(
    `http://127.0.0.1:${port}/rerun.sdk_comms.v1alpha1.MessageProxyService/ReadMessages`,
    {
      method: "POST",
      headers: { "content-type": "application/grpc-web+proto", ...headers },
      body: ASK,
    },
  );
}

describe("rerelay --serve-grpc", () => {
  it("gives early and late viewers what today's SDKs log, on both ports, and ends them well", async () => {
    const { cli, sdk, page } = await started();
    const early = call(sdk, "ReadMessages", ASK);
    await replay(sdk, "0.16.1-mixed");
    assertEquals(await call(sdk, "WriteMessages", BODY).ended, [0, ""]);
    await early.until(COUNT);
    const late = call(sdk, "ReadMessages", ASK);
    await late.until(COUNT);
    const webs = await Promise.all([askWeb(sdk), askWeb(page)]);
    const texts = webs.map((response) => response.bytes());
    cli.signal("SIGTERM");
    assertEquals(await early.ended, [0, ""]);
    assertEquals(await late.ended, [0, ""]);
    assertEquals(early.messages(), framesOf(BODY));
    assertEquals(sorted(late.messages()), sorted(framesOf(BODY)));
    for (const bytes of await Promise.all(texts)) {
      const messages = framesOf(bytes);
      assertEquals(new TextDecoder().decode(messages.at(-1)), "grpc-status:0\r\n");
      assertEquals(sorted(messages.slice(0, -1)), sorted(framesOf(BODY)));
    }
    assertEquals((await cli.ended).code, 0);
    assert(cli.stderr.includes("SDK 0.16 and older are left out for the viewer at"), cli.stderr);
  });

  it("answers browsers at the port of the SDKs as at the page's", async () => {
    const { cli, sdk, page } = await started();
    await replay(sdk, "0.22.1-mixed");
    for (const path of ["", "healthz", "recordings", "main.js"]) {
      const [a, b] = await Promise.all([sdk, page].map(async (port) => {
        const response = await fetch(`http://127.0.0.1:${port}/${path}`);
        return [response.status, await response.text()];
      }));
      assertEquals(a, b);
      assertEquals(a![0], 200);
    }
    const metrics = await (await fetch(`http://127.0.0.1:${sdk}/metrics`)).text();
    assert(metrics.includes('rerelay_viewers{transport="grpc"} 0'), metrics);
    const stream = await fetch(`http://127.0.0.1:${sdk}/stream.rrd?download=1`);
    assert((await stream.bytes()).length > 1000);
    const foreign = { origin: "http://evil.example" };
    assertEquals((await askWeb(sdk, foreign)).status, 403);
    cli.signal("SIGTERM");
    assertEquals((await cli.ended).code, 0);
  });

  it("counts readers among the viewers, and asks them for the token", async () => {
    const { cli, sdk } = await started(["--max-viewers", "1"], { RERELAY_VIEWER_TOKEN: "secret" });
    const [status, text] = await call(sdk, "ReadMessages", ASK).ended;
    assertEquals(status, 16);
    assert(text.includes("native viewers have no way"), text);
    const metadata = { authorization: "Bearer secret" };
    const table = frame(Uint8Array.of(...field(1, textField(1, "a")), ...textField(2, "1")));
    assertEquals(await call(sdk, "WriteTable", table).ended, [0, ""]);
    assertEquals(await call(sdk, "ReadTables", ASK).ended, [16, text]);
    await call(sdk, "ReadTables", ASK, metadata).until(1);
    assertEquals(await call(sdk, "WriteMessages", BODY).ended, [0, ""]);
    const first = call(sdk, "ReadMessages", ASK, metadata);
    await first.until(COUNT);
    const [refused, why] = await call(sdk, "ReadMessages", ASK, metadata).ended;
    assertEquals(refused, 8);
    assert(why.includes("--max-viewers"), why);
    cli.signal("SIGTERM");
    assertEquals(await first.ended, [0, ""]);
    assertEquals((await cli.ended).code, 0);
  });
});

describe("rerelay without viewers", () => {
  it("names the option to readers and browsers, and is healthy", async () => {
    const cli = new Cli(["--port", "0"]);
    const [, port] = await cli.sees(/SDK server over TCP at \S+:(\d+)\./);
    const [status, text] = await call(Number(port), "ReadMessages", ASK).ended;
    assertEquals(status, 9);
    assert(text.includes("--serve-web"), text);
    const url = `http://127.0.0.1:${port}`;
    assertEquals((await fetch(`${url}/healthz`)).status, 200);
    const missing = await fetch(`${url}/recordings`);
    assertEquals(missing.status, 404);
    assert((await missing.text()).includes("--serve-web"));
    cli.signal("SIGTERM");
    assertEquals((await cli.ended).code, 0);
  });
});
