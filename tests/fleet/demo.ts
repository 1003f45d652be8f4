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

/** Starts a Rerelay; resolves with the port that SDKs connect to. */
function rerelay(name: string, args: readonly string[]): Promise<number> {
  const run = "Bun" in globalThis ? [CLI] : ["run", "-A", "--quiet", CLI];
  const child = spawn(process.execPath, [...run, ...args], { stdio: ["ignore", "ignore", "pipe"] });
  children.push(child);
  return new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`${name} ended with ${code}`)));
    child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      for (const line of text.trimEnd().split("\n")) {
        console.log(`${name.padEnd(7)} ${line.replace(/^\[[^\]]*\] /, "")}`);
      }
      const port = /over TCP at [^ ]*:(\d+)\./.exec(text)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
  });
}

async function drive(box: string, port: number, signal: AbortSignal): Promise<void> {
  const robot = new Robot(`${box}-${new Date().toISOString().slice(0, 19)}`);
  const socket = await connectSdk(port);
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
async function quiet(port: number): Promise<void> {
  for (let tries = 0, before = -1; tries < 10; tries++) {
    const answer = await fetch(`http://127.0.0.1:${port}/status`).catch(() => undefined);
    const { messages } = await answer?.json() ?? { messages: -1 };
    if (messages === before) return;
    before = messages;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

let middle: number | undefined;
try {
  middle = await rerelay("middle", [
    ...["--port", "0", "--from", nats.url, "--serve-web", "--web-viewer-port", "0"],
    ...[
      "--ws-server-port",
      "0",
      "--save",
      join(folder, "middle", "{box}-{recording_id}-{part}.rrd"),
    ],
  ]);
  const driving = BOXES.map(async (box) => {
    if (stop.signal.aborted) return;
    const save = join(folder, box, "{recording_id}-{part}.rrd");
    const args = ["--port", "0", "--save", save, "--forward", nats.url, "--box", box];
    return await drive(box, await rerelay(box, args), stop.signal);
  });
  console.log(
    "\nTwo boxes send through NATS; the middle's page is above. Ctrl-C ends all of it.\n",
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
