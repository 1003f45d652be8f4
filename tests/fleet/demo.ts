/** A small fleet on this machine, until Ctrl-C: `npm run demo:fleet`, or `bun tests/fleet/demo.ts`. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { provideNats } from "../nats/nats_program.ts";
import { NatsServer } from "../nats/nats_server.ts";
import { connectSdk, Robot, send } from "./robot.ts";

const CLI = fileURLToPath(new URL("../../cli.ts", import.meta.url));
const BOXES = ["box-1", "box-2"];
const VALUES_PER_SEC = 20;
const PICTURE_EVERY = 10;
const SDK_PORT = /over TCP at [^ ]*:(\d+)\./;
const PAGE = /Hosting a web viewer at (\S+)/;

const { missing } = provideNats();
if (missing) {
  console.error(missing);
  process.exit(1);
}

// From the first moment on: what is started here must end with it.
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => stop.abort());
}
const folder = mkdtempSync(join(tmpdir(), "rerelay-fleet-"));
const children: ChildProcess[] = [];
process.once("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});
const nats = await NatsServer.start();

/** Starts a Rerelay; resolves with what it says of itself: by default the port that SDKs connect to. */
function rerelay(
  name: string,
  args: readonly string[],
  told: readonly RegExp[] = [SDK_PORT],
): Promise<string[]> {
  const run = "Bun" in globalThis ? [CLI] : ["run", "-A", "--quiet", CLI];
  const child = spawn(process.execPath, [...run, ...args], { stdio: ["ignore", "ignore", "pipe"] });
  children.push(child);
  let log = "";
  return new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`${name} ended with ${code}`)));
    child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      for (const line of text.trimEnd().split("\n")) {
        console.log(`${name.padEnd(7)} ${line.replace(/^\[[^\]]*\] /, "")}`);
      }
      log = (log + text).slice(-10_000);
      const found = told.map((pattern) => pattern.exec(log)?.[1]);
      if (found.every((one) => one !== undefined)) resolve(found);
    });
  });
}

async function drive(box: string, port: string, signal: AbortSignal): Promise<void> {
  const robot = new Robot(`${box}-${new Date().toISOString().slice(0, 19)}`);
  const socket = await connectSdk(Number(port));
  await send(socket, robot.announcement());
  for (let frame = 0; !signal.aborted; frame++) {
    await send(socket, robot.scalar("/arm/angle", frame, Math.sin(frame / 20)));
    await send(socket, robot.scalar("/arm/current", frame, Math.abs(Math.cos(frame / 33))));
    if (frame % PICTURE_EVERY === 0) await send(socket, robot.picture("/camera", frame));
    await new Promise((resolve) => setTimeout(resolve, 1000 / VALUES_PER_SEC));
  }
  socket.end();
}

/** Ends programs as Ctrl-C does, and waits for them. */
async function end(ending: readonly ChildProcess[]): Promise<void> {
  await Promise.all(ending.map((child) =>
    new Promise((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) return resolve(0);
      child.once("exit", resolve);
      child.kill("SIGINT");
    })
  ));
}

/** Waits until no more comes to a server, 3 s at most. */
async function quiet(port: string): Promise<void> {
  for (let tries = 0, before = -1; tries < 10; tries++) {
    const answer = await fetch(`http://127.0.0.1:${port}/status`).catch(() => undefined);
    const { messages } = await answer?.json() ?? { messages: -1 };
    if (messages === before) return;
    before = messages;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

let middle: string | undefined;
try {
  const copies = join(folder, "middle", "{box}-{recording_id}-{part}.rrd");
  const [port, page] = await rerelay("middle", [
    ...["--port", "0", "--from", nats.url, "--serve-web", "--web-viewer-port", "0"],
    ...["--ws-server-port", "0", "--save", copies],
  ], [SDK_PORT, PAGE]);
  middle = port;
  const driving = BOXES.map(async (box) => {
    if (stop.signal.aborted) return;
    const save = join(folder, box, "{recording_id}-{part}.rrd");
    const args = ["--port", "0", "--save", save, "--forward", nats.url, "--box", box];
    const [port] = await rerelay(box, args);
    return await drive(box, port!, stop.signal);
  });
  console.log(
    `\nTwo boxes send through NATS: see them at ${page}, and end all of it with Ctrl-C.\n`,
  );
  await Promise.all(driving);
} finally {
  // The boxes first: the middle receives what they send at their end.
  await end(children.slice(1));
  if (middle !== undefined) await quiet(middle);
  await end(children);
  await nats[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
}
