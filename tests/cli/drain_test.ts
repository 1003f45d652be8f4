/** An upgrade: SIGUSR2, and a second server with the same command while the first has clients. */
import { describe, it } from "node:test";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readdirSync, readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { capturePackets, fixture } from "../fixtures.ts";
import { wholeIn } from "../sinks/leftovers.ts";
import { Cli, inFolder, open, replay, runCli, send } from "./cli_process.ts";
import { freePorts } from "../free_ports.ts";

const CAPTURE = fixture("captures/0.22.1-mixed.bin");
const MESSAGES = capturePackets("0.22.1-mixed").length;

/** As `npm start` and the docs have it: on Deno these programs may not ask for processes. */
const FEW = ["--allow-net", "--allow-read", "--allow-write", "--allow-env"];

async function setUp(folder: string, ...more: string[]) {
  const [port, ws, page] = await freePorts(3);
  const pattern = join(folder, "rec-{part}.rrd");
  const args = [
    ...["--port", `${port}`, "--ws-server-port", `${ws}`, "--web-viewer-port", `${page}`],
    ...["--serve-web", "--save", pattern, "--rotate-every", "1h", ...more],
  ];
  const start = async (permissions = ["-A"]) => {
    const cli = new Cli(args, { permissions });
    await cli.sees(/Saving what is logged to/);
    return cli;
  };
  return { start, args, port: port!, page: page! };
}

function signal(cli: Cli): void {
  process.kill(cli.child.pid!, "SIGUSR2");
}

/** Connected, with what it sent received. */
async function connected(cli: Cli, port: number, bytes: Uint8Array): Promise<Socket> {
  const socket = await open(port);
  await send(socket, bytes);
  await cli.sees(/New SDK client|Client .* connected|connected/i);
  return socket;
}

function messagesIn(folder: string): number {
  const names = readdirSync(folder).filter((name) => name.endsWith(".rrd"));
  return names.reduce((sum, name) => sum + wholeIn(readFileSync(join(folder, name))).length, 0);
}

async function ready(port: number): Promise<[number, unknown]> {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`);
  return [response.status, await response.json()];
}

const skip = process.platform === "win32" && "no SIGUSR2";

describe("SIGUSR2", { timeout: 60_000, skip }, () => {
  for (const permissions of "Bun" in globalThis ? [["-A"]] : [["-A"], FEW]) {
    it(`lets the next server take port, page and pattern, while clients go on, ${permissions}`, () =>
      inFolder(async (folder) => {
        const { start, port, page } = await setUp(folder);
        const first = await start(permissions);
        assertEquals(await ready(page), [200, { ready: true, checks: { port: "ok", disk: "ok" } }]);
        assertEquals(await ready(port), await ready(page));
        const half = CAPTURE.length >> 1;
        const socket = await connected(first, port, CAPTURE.subarray(0, half));
        signal(first);
        await first.sees(
          /Draining \(SIGUSR2\): 127\.0\.0\.1:\d+ is free .* 1 client may go on, 10m at/,
        );
        const second = await start(permissions);
        await replay(port, CAPTURE);
        await send(socket, CAPTURE.subarray(half));
        socket.end();
        const one = await first.ended;
        assertEquals(one.code, 0, one.stderr);
        assertStringIncludes(one.stderr, `Received ${MESSAGES} messages`);
        second.signal("SIGTERM");
        const two = await second.ended;
        assertEquals(two.code, 0, two.stderr);
        for (const { stderr } of [one, two]) assert(!/WARN|ERROR/.test(stderr), stderr);
        const names = readdirSync(folder).sort();
        assertEquals(names, ["rec-0001.rrd", "rec-0002.rrd", "rec-{part}.rrd.index.jsonl"]);
        const verified = await runCli(["rrd", "verify", "--strict", folder]);
        assertEquals(verified.code, 0, verified.stderr);
        assertEquals(messagesIn(folder), 2 * MESSAGES);
      }));
  }

  it("is what a second server needs: without it the pattern stays the first one's", () =>
    inFolder(async (folder) => {
      const { start, args } = await setUp(folder);
      const port = ["--port", "0", "--ws-server-port", "0", "--web-viewer-port", "0"];
      const other = [...args.slice(6), ...port];
      for (const permissions of [["-A"], FEW]) {
        const first = await start(permissions);
        for (const own of [["-A"], FEW]) {
          const { code, stderr } = await new Cli(other, { permissions: own }).ended;
          assertEquals(code, 1, stderr);
          assertStringIncludes(stderr, `Process ${first.child.pid} saves under this name already`);
        }
        process.kill(first.child.pid!, "SIGKILL");
        await first.ended;
        const next = await start(FEW);
        next.signal("SIGTERM");
        assertEquals((await next.ended).code, 0);
      }
    }));

  it("tells whom it cuts when the time is over", () =>
    inFolder(async (folder) => {
      const { start, port } = await setUp(folder, "--drain", "300ms");
      const first = await start();
      const socket = await connected(first, port, CAPTURE);
      signal(first);
      const { code, stderr } = await first.ended;
      assertEquals(code, 0, stderr);
      assertStringIncludes(stderr, "Drained for 300ms (--drain): closing 1 connection (tcp://");
      assertStringIncludes(stderr, `Received ${MESSAGES} messages`);
      socket.destroy();
    }));

  it("ends at SIGTERM as usual, and at once without clients", () =>
    inFolder(async (folder) => {
      const { start, port } = await setUp(folder, "--drain", "never");
      const first = await start();
      const socket = await connected(first, port, CAPTURE);
      signal(first);
      await first.sees(/Draining .* as long as it takes/);
      signal(first);
      first.signal("SIGTERM");
      const { code, stderr } = await first.ended;
      assertEquals(code, 0, stderr);
      socket.destroy();
      const second = await start();
      signal(second);
      const two = await second.ended;
      assertEquals(two.code, 0, two.stderr);
    }));

  it("says that a file of one name stays locked", () =>
    inFolder(async (folder) => {
      const [port] = await freePorts(1);
      const args = ["--port", `${port}`, "--save", join(folder, "a.rrd")];
      const first = new Cli(args);
      await first.sees(/Saving what is logged to/);
      const socket = await connected(first, port!, CAPTURE);
      signal(first);
      await first.sees(/a\.rrd stays locked until this server has ended/);
      await first.sees(/Draining/);
      const second = await runCli([...args, "--force"]);
      assertEquals(second.code, 1, second.stderr);
      socket.end();
      assertEquals((await first.ended).code, 0);
    }));
});
