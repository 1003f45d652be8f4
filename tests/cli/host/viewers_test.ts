import { assert, assertEquals } from "@std/assert";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { RrdDecoder } from "../../../lib/encoding/rrd/rrd_decoder.ts";
import { dialBare, lines, UPGRADE, WebClient } from "../../contract/http_clients.ts";
import { fixture } from "../../fixtures.ts";
import { realFrames } from "../../viewers/messages.ts";
import { Cli } from "../cli_process.ts";

const SERVE = ["--port", "0", "--serve-web", "--ws-server-port", "0", "--web-viewer-port", "0"];

interface Ports {
  readonly sdk: number;
  readonly socket: number;
  readonly page: number;
}

async function ports(cli: Cli): Promise<Ports> {
  const [, sdk] = await cli.sees(/SDK server over TCP at \S+:(\d+)\./);
  const [, socket] = await cli.sees(/WebSocket server at ws:\/\/\S+:(\d+)\./);
  const [, page] = await cli.sees(/web viewer at http:\/\/\S+:(\d+)\//);
  return { sdk: Number(sdk), socket: Number(socket), page: Number(page) };
}

/** Sends a capture as its SDK did. */
function replay(port: number, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.end(fixture(`captures/${name}.bin`)));
    socket.once("error", reject).once("close", () => resolve()).resume();
  });
}

/** Sends something and gives the beginning of the answer; `node:net` knows no links on Deno. */
async function ask(hostname: string, port: number, text: string): Promise<string> {
  if ("Bun" in globalThis) {
    const client = await dialBare({ hostname, port }, text);
    const answer = await client.until(/\n/);
    client.socket.destroy();
    return answer;
  }
  using conn = await Deno.connect({ hostname, port });
  await conn.write(new TextEncoder().encode(text));
  const answer = new Uint8Array(1000);
  return new TextDecoder().decode(answer.subarray(0, await conn.read(answer) ?? 0));
}

describe("rerelay --serve-web", () => {
  const folder = mkdtempSync(join(tmpdir(), "rerelay-viewers-"));

  it("shows live what it saves, and ends in time with viewers of every kind", async () => {
    const path = join(folder, "live.rrd");
    const cli = new Cli([...SERVE, "--save", path]);
    const { sdk, socket, page } = await ports(cli);
    const addr = (port: number) => ({ hostname: "127.0.0.1", port });
    const early = new WebClient(addr(socket));
    await early.opened;
    await replay(sdk, "0.22.1-mixed");
    await cli.sees(/left: 34 messages/);
    const frames = realFrames("0.22.1-mixed");
    const late = new WebClient(addr(socket));
    assertEquals(await late.received(frames.length), frames);
    assertEquals((await early.received(frames.length)).length, frames.length);

    const get = async (path: string) => await fetch(`http://127.0.0.1:${page}${path}`);
    const [recording] = await (await get("/recordings")).json();
    assertEquals([recording.id, recording.sdk, recording.live], ["rec-mixed", "0.22.1", false]);
    let status = await (await get("/status")).json();
    // The file is written beside what viewers are given, and counted once it is.
    for (let i = 0; i < 500 && status.files.messages < 34; i++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      status = await (await get("/status")).json();
    }
    assertEquals([status.messages, status.files.messages, status.hub.viewers.length], [34, 34, 2]);
    assert((await (await get("/metrics")).text()).includes("rerelay_file_messages_total 34\n"));
    const file = new Uint8Array(
      await (await get(`/${recording.url}?download=1&format=as-sent`)).arrayBuffer(),
    );
    assertEquals(new RrdDecoder().push(file).items.length, 34);

    const stalled = await dialBare(addr(socket));
    stalled.socket.pause();
    stalled.socket.write(lines("GET / HTTP/1.1", "Host: localhost", ...UPGRADE));
    const stream = await get("/stream.rrd?format=as-sent");
    const start = performance.now();
    cli.signal("SIGTERM");
    const { code } = await cli.ended;
    const waited = performance.now() - start;
    assertEquals(code, 0);
    // Whoever waited for the one that stalls would wait for ever.
    assert(waited < 10_000, `ended after ${waited} ms`);
    assertEquals([(await early.closed).code, (await late.closed).code], [1001, 1001]);
    assertEquals(new Uint8Array(await stream.arrayBuffer()), file.subarray(0, -8));
    assertEquals(new Uint8Array(readFileSync(path)), file);
    stalled.socket.destroy();
  });

  const [link] = Object.entries(networkInterfaces()).flatMap(([name, addrs = []]) =>
    addrs.filter(({ address }) => address.startsWith("fe80:"))
      .map(({ address }) => `${address.replace(/%.*/, "")}%${name}`)
  );
  const linked = link === undefined ? it.skip : it;

  linked("listens and answers at an address of one link", async () => {
    const cli = new Cli([...SERVE, "--bind", link!]);
    const { page, socket } = await ports(cli);
    for (const [port, status] of [[page, 200], [socket, 426]] as const) {
      const host = `[${link!.replace(/%.*/, "")}]:${port}`;
      const answer = await ask(link!, port, lines("GET /healthz HTTP/1.1", `Host: ${host}`));
      assert(answer.startsWith(`HTTP/1.1 ${status} `), answer);
    }
    cli.signal("SIGTERM");
    assertEquals((await cli.ended).code, 0);
  });

  it("names the option of a port that is taken", async () => {
    const cli = new Cli(SERVE);
    const { socket, page } = await ports(cli);
    for (const [option, port] of [["--ws-server-port", socket], ["--web-viewer-port", page]]) {
      const args = SERVE.with(SERVE.indexOf(String(option)) + 1, String(port));
      const { code, stderr } = await new Cli(args).ended;
      assertEquals(code, 1);
      assert(stderr.includes(`:${port}". Another Rerun instance is probably`), stderr);
      assert(stderr.includes(`choose another port (${option})`), stderr);
    }
    cli.signal("SIGTERM");
    await cli.ended;
  });

  it("says that an option of old has no effect any more, and starts", async () => {
    const cli = new Cli([...SERVE, "--viewer-queue", "1MiB"]);
    await cli.sees(/--viewer-queue has no effect any more/);
    await ports(cli);
    cli.signal("SIGTERM");
    assertEquals((await cli.ended).code, 0);
  });

  it("takes the token from the environment, and tells it nobody", async () => {
    const env = { RERELAY_VIEWER_TOKEN: "s3cret" };
    const cli = new Cli([...SERVE, "--bind", "0.0.0.0", "--log-level", "trace"], { env });
    const { socket, page } = await ports(cli);
    await cli.sees(new RegExp(`rerun 'ws://localhost:${socket}/\\?token=…'$`, "m"));
    const status = async (path: string, init?: RequestInit) =>
      (await fetch(`http://127.0.0.1:${page}${path}`, init)).status;
    assertEquals(await status("/recordings"), 401);
    assertEquals(await status("/recordings?token=s3cret"), 200);
    assertEquals(await status("/nothing?token=s3cret"), 404);
    cli.signal("SIGTERM");
    const { stderr } = await cli.ended;
    assert(!stderr.includes("s3cret"), stderr);
    assert(!stderr.includes("--viewer-token"), stderr);
  });

  it("lets nobody see what is logged who may not connect", async () => {
    const cli = new Cli([...SERVE, "--allow", "192.0.2.7", "--bind", "0.0.0.0"]);
    const { sdk, socket, page } = await ports(cli);
    const request = lines("GET /recordings HTTP/1.1", "Host: 127.0.0.1");
    for (const port of [sdk, socket, page]) {
      const { closed, text } = await dialBare({ hostname: "127.0.0.1", port }, request)
        .then(async (client) => ({ closed: await client.closed, text: client.text() }));
      assertEquals([closed, text], [undefined, ""], `port ${port}`);
    }
    await cli.sees(/WARN .*Refused a viewer: 127\.0\.0\.1 is not allowed to connect \(--allow/);
    cli.signal("SIGTERM");
    const { stderr } = await cli.ended;
    assert(!stderr.includes("All who can reach"), stderr);
  });

  it("says so where the environment can't be read: it must not seem to ask for a token", async () => {
    if ("Bun" in globalThis) return; // reads it always
    const env = { RERELAY_VIEWER_TOKEN: "s3cret" };
    const cli = new Cli(SERVE, { env, permissions: ["--allow-net", "--no-prompt"] });
    await cli.sees(/WARN .*No token is asked for: .*--allow-env=RERELAY_VIEWER_TOKEN/);
    await ports(cli);
    cli.signal("SIGTERM");
    await cli.ended;
  });

  it("warns where others can read, and opens a browser on a desktop only", async () => {
    const opened = join(folder, "opened");
    writeFileSync(
      join(folder, "xdg-open"),
      `#!/bin/sh\nprintf %s "$1" > ${opened}.part\nmv ${opened}.part ${opened}\n`,
    );
    chmodSync(join(folder, "xdg-open"), 0o755);
    const env = { PATH: `${folder}${delimiter}${process.env.PATH}`, DISPLAY: ":0" };
    const args = SERVE.map((arg) => arg === "--serve-web" ? "--web-viewer" : arg);
    const cli = new Cli([...args, "--bind", "0.0.0.0"], { env });
    const { page } = await ports(cli);
    await cli.sees(/WARN .*--viewer-token/);
    while (!existsSync(opened)) await new Promise((resolve) => setTimeout(resolve, 10));
    assertEquals(readFileSync(opened, "utf8"), `http://localhost:${page}/`);
    cli.signal("SIGTERM");
    assertEquals((await cli.ended).code, 0);

    const headless = new Cli(args, { env: { DISPLAY: "", WAYLAND_DISPLAY: "" } });
    await headless.sees(/No browser was opened \(there is no desktop\): go to http:/);
    headless.signal("SIGTERM");
    assertEquals((await headless.ended).code, 0);
    rmSync(folder, { recursive: true });
  });
});
