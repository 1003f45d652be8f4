/**
 * Kills a box that forwards, again and again at random moments, and looks at what the other side has:
 *
 *     deno run -A tests/soak/forward.ts [--kills 50] [--runtime deno] [--targets grpc,nats] [--seed 1]
 *
 * The box is `rerelay --save … --forward`, the other side a Rerelay that stays, reached by gRPC or by a
 * nats-server between both. In the end every message on the disk of the box must be in the other side's
 * recordings, each once, in order, and `rrd compare` must find no difference.
 */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "@std/cli";
import { connectGrpc } from "../../lib/adapters/tcp/node_grpc.ts";
import { readFrame } from "../../lib/comms/grpc/message_proxy.ts";
import { Child, run } from "../conformance/child.ts";
import { difference, recorded } from "../fleet/recorded.ts";
import { announcement, chunk } from "../forward/chunks.ts";
import { provideNats } from "../nats/nats_program.ts";
import { NatsServer } from "../nats/nats_server.ts";
import { caseRandom } from "../random.ts";
import { type BoxFolder, contentOf, isForwarded } from "./forward_check.ts";

const args = parseArgs(process.argv.slice(2), {
  string: ["kills", "runtime", "seed", "targets"],
});
const kills = Number(args.kills ?? 50);
const seed = Number(args.seed ?? Math.floor(Math.random() * 2 ** 31));
const runtimes: string[] = args.runtime === undefined ? ["deno", "bun"] : [String(args.runtime)];
const CLI = new URL("../../cli.ts", import.meta.url).pathname;
const READY = /TCP at 127\.0\.0\.1:(\d+)\. Connect/;
const PATTERN = "{recording_id}-{part}.rrd";
/** Recordings of one run of the box. */
const RECORDINGS = 3;
/** The last run may take so long to catch up. */
const CATCH_UP_MS = 60_000;

const targets = String(args.targets ?? "grpc,nats").split(",");

console.log(`seed ${seed}`);
const counts = { passed: 0, failed: 0, skipped: 0 };
for (const target of targets) {
  const missing = target === "nats" && provideNats().missing;
  if (missing !== false) {
    console.log(`nats is left out: ${missing}`);
    counts.skipped += runtimes.length;
    continue;
  }
  // Boxes mostly wait, so both runtimes run side by side.
  await Promise.all(runtimes.map((runtime) => playOne(target, runtime)));
}
const { passed, failed, skipped } = counts;
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exit(failed === 0 ? 0 : 1);

async function playOne(target: string, runtime: string): Promise<void> {
  const parent = await mkdtemp(join(tmpdir(), "rerelay-forward-"));
  try {
    console.log(`${target}, ${runtime}: ${await play(target, runtime, parent)}`);
    await rm(parent, { recursive: true, force: true });
    counts.passed++;
  } catch (error) {
    counts.failed++;
    console.error(`${target}, ${runtime}: ${error}\n  files in ${parent}`);
  }
}

async function play(target: string, runtime: string, parent: string): Promise<string> {
  const random = caseRandom(seed, runtime === "deno" ? 0 : 1);
  const box: BoxFolder = { folder: join(parent, "box"), pattern: PATTERN };
  const other: BoxFolder = { folder: join(parent, "other"), pattern: PATTERN };
  await using nats = target === "nats" ? await NatsServer.start() : undefined;
  const from = nats === undefined ? [] : ["--from", nats.url];
  await using receiver = await start(runtime, ["--save", join(other.folder, PATTERN), ...from]);
  const url = nats?.url ?? `rerun+http://127.0.0.1:${receiver.port}/proxy`;
  const forward = [
    ...["--save", join(box.folder, PATTERN), "--rotate-size", "256KiB"],
    ...["--forward", url, "--box", "box-7"],
  ];
  for (let kill = 0; kill < kills; kill++) {
    await using sender = await start(runtime, forward);
    const sending = log(sender.port, kill);
    await new Promise((resolve) => setTimeout(resolve, 20 + random() ** 2 * 2500));
    sender.child.kill("SIGKILL");
    await sender.child.ended;
    await sending;
  }
  await using last = await start(runtime, forward);
  const end = performance.now() + CATCH_UP_MS;
  while (!await isForwarded(box)) {
    if (performance.now() > end) throw new Error("it does not catch up");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  // What NATS has acknowledged is still on its way.
  while (difference(recorded(box.folder), recorded(other.folder)) !== undefined) {
    if (performance.now() > end) break;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  for (const { child } of [last, receiver]) {
    child.kill("SIGTERM");
    const { code, stderr } = await child.ended;
    if (code !== 0) throw new Error(`ended with ${code}: ${stderr.slice(-2000)}`);
  }
  const [sent, came] = [await contentOf(box), await contentOf(other)];
  let messages = 0;
  for (const [recording, expected] of sent) {
    const found = came.get(recording) ?? [];
    messages += expected.length;
    const at = expected.findIndex((text, i) => text !== found[i]);
    if (at >= 0 || found.length !== expected.length) {
      throw new Error(
        `${recording}: ${found.length} messages of ${expected.length}; message ${at} is ` +
          `${found[at]}, not ${expected[at]}; around it ${
            found.slice(Math.max(0, at - 2), at + 3)
          }`,
      );
    }
  }
  if (came.size !== sent.size) throw new Error(`${came.size} recordings of ${sent.size}`);
  await compare(runtime, parent, box, other);
  const files = (await readdir(box.folder)).length;
  return `${kills} kills, ${messages} messages of ${sent.size} recordings, ${files} files`;
}

/** By our own command: all values at all times. */
async function compare(runtime: string, parent: string, box: BoxFolder, other: BoxFolder) {
  const rrd = [...commandOf(runtime), "rrd"];
  const merged = [join(parent, "box.rrd"), join(parent, "other.rrd")];
  for (const [i, { folder }] of [box, other].entries()) {
    const names = (await readdir(folder)).filter((name) => name.endsWith(".rrd"));
    const paths = names.map((name) => join(folder, name));
    await run([...rrd, "merge", ...paths, "-o", merged[i]!], { ms: CATCH_UP_MS });
  }
  await run([...rrd, "compare", ...merged], { ms: CATCH_UP_MS });
}

function commandOf(runtime: string): string[] {
  return [...(runtime === "deno" ? ["deno", "run", "-A", "--no-check", "-q"] : ["bun"]), CLI];
}

async function start(runtime: string, more: readonly string[]) {
  const child = new Child([...commandOf(runtime), "--port", "0", ...more]);
  const port = Number((await child.waitFor(READY, 60_000))[1]);
  await child.waitFor(/Saving what is logged/, 60_000);
  return { child, port, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() };
}

/** Logs to recordings side by side, at full speed, until the box is gone. */
async function log(port: number, run: number): Promise<void> {
  try {
    const socket = await connectGrpc("127.0.0.1", port, 5000);
    const names = Array.from({ length: RECORDINGS }, (_, i) => `run${run}-${i}`);
    const send = (msg: Parameters<typeof readFrame>[0]) =>
      socket.send(readFrame(msg, "v1alpha1") as Uint8Array[]);
    for (const name of names) await send(announcement(name));
    for (let i = 0; i < 20_000; i++) {
      for (const name of names) await send(chunk(name, i, i % 100 === 0));
      // A robot does not log as fast as it can.
      if (i % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await socket.finish();
  } catch {
    // The box was killed.
  }
}
