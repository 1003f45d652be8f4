/**
 * gRPC beside Rerun's own server, interleaved in one run:
 *
 *     deno run -A tests/bench/grpc.ts [--python VENV/bin/python] [--rerun VENV/bin/rerun]
 *       [--rounds 5] [--only sdk,large,small,late,ten,stopped]
 *
 * `--python` has a real SDK 0.41, `--rerun` is the control; without them, and without Go for the fast
 * sender (`gosend/`), what needs them is left out with a word.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "@std/cli";
import { readFrame } from "../../lib/comms/grpc/message_proxy.ts";
import { readRrd } from "../../lib/recordings/mod.ts";
import { Child, run } from "../conformance/child.ts";
import { concat } from "../encoding/rrd_builder.ts";
import { median } from "./figures.ts";
import { machine } from "./machine.ts";

const CLI = fileURLToPath(new URL("../../cli.ts", import.meta.url));
const PY = fileURLToPath(new URL("grpc_child.py", import.meta.url));
const GO = fileURLToPath(new URL("gosend", import.meta.url));
const IMAGES = 300;
/** A little less than their bytes: what is around them differs. */
const IMAGE_BYTES = IMAGES * 640 * 480 * 3;
const READERS = 10;
/** A server that stands still so long is said to stand still. */
const STILL_MS = 20_000;
const START_MS = 60_000;
/** As many of each message as make half a gigabyte. */
const SENT = { large: 600, small: 200_000 } as const;
const NAMES = ["sdk", "large", "small", "late", "ten", "stopped"] as const;

const args = parseArgs(process.argv.slice(2), {
  string: ["python", "rerun", "rounds", "only"],
  unknown: (arg) => {
    console.error(`There is no ${arg}: see the top of tests/bench/grpc.ts`);
    process.exit(2);
  },
});
const given = (name: string) => args[name] as string | undefined;
const python = given("python");
const rerun = given("rerun");
const rounds = Number(given("rounds") ?? 5);
const only = given("only")?.split(",") ?? NAMES;
const temp = mkdtempSync(join(tmpdir(), "rerelay-grpc-bench-"));

/** A running server. */
interface Running {
  readonly child: Child;
  readonly port: number;
}

const SERVERS: Record<string, (port: number) => readonly string[]> = {
  ...(rerun === undefined ? {} : {
    real: (
      port,
    ) => [rerun!, "--serve-grpc", "--port", String(port), "--server-memory-limit", "2GiB"],
  }),
  deno: (port) => ["deno", "run", "-A", "--quiet", CLI, ...options(port)],
  bun: (port) => ["bun", CLI, ...options(port)],
};

function options(port: number): string[] {
  return ["--serve-grpc", "--port", String(port), "--ws-server-port", "0", "--web-viewer-port", "0"]
    .concat("--server-memory-limit", "2GiB");
}

let nextPort = 20_000 + Math.floor(Math.random() * 10_000);

async function started(name: string): Promise<Running> {
  const port = nextPort++;
  const child = new Child(SERVERS[name]!(port), {
    env: { ...process.env as Record<string, string>, RUST_LOG: "info" },
  });
  await child.waitFor(name === "real" ? /gRPC server|proxy/ : /Hosting a SDK server/, START_MS);
  await untilOpen(port);
  return { child, port };
}

async function untilOpen(port: number): Promise<void> {
  const { connect } = await import("node:net");
  for (let tries = 0; tries < 200; tries++) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true));
      socket.on("error", () => resolve(false));
      setTimeout(() => socket.destroy(), 50);
    });
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nobody listens at ${port}`);
}

/** Runs the Python beside it, and gives the seconds that it says. */
async function py(...words: (string | number)[]): Promise<number> {
  const { stdout } = await run([python!, PY, ...words.map(String)], { ms: 170_000 });
  return JSON.parse(stdout.trim().split("\n").at(-1)!).sec;
}

const url = ({ port }: Running) => `rerun+http://127.0.0.1:${port}/proxy`;

/** What is measured: megabytes, and the seconds that they took. */
const CASES: Record<string, (server: Running) => Promise<[mb: number, sec: number]>> = {
  sdk: async (server) => [IMAGE_BYTES / 1e6, await py("log", url(server), IMAGES)],
  large: (server) => send(server, "large"),
  small: (server) => send(server, "small"),
  late: async (server) => {
    await py("log", url(server), IMAGES);
    return [IMAGE_BYTES / 1e6, await py("read", server.port, 1, IMAGE_BYTES)];
  },
  ten: async (server) => {
    const sec = await logTo(server, READERS);
    return [READERS * IMAGE_BYTES / 1e6, sec];
  },
  stopped: async (server) => {
    await using stopped = new Child([python!, PY, "stop", String(server.port)]);
    await stopped.waitFor(/ready/, START_MS);
    return [IMAGE_BYTES / 1e6, await logTo(server, 1)];
  },
};

/** An SDK logs while so many read: from its first image to the last reader's last. */
async function logTo(server: Running, readers: number): Promise<number> {
  await using reader = new Child(
    [python!, PY, "read", ...[server.port, readers, IMAGE_BYTES].map(String)],
  );
  await reader.waitFor(/ready/, START_MS);
  await using sdk = new Child([python!, PY, "log", url(server), String(IMAGES)]);
  const late = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), STILL_MS));
  const both = Promise.all([reader.ended, sdk.ended]);
  both.catch(() => {});
  const ended = await Promise.race([both, late]);
  if (ended === undefined) return Infinity;
  const [read, logged] = ended.map(({ stdout }) => JSON.parse(stdout.trim().split("\n").at(-1)!));
  // The readers' clock began with their calls; the SDK's with its first image.
  return Math.max(logged.sec, read.at - logged.from);
}

async function send({ port }: Running, what: keyof typeof SENT): Promise<[number, number]> {
  const { stdout } = await run(
    [gosend!, "-addr", `127.0.0.1:${port}`, "-count", String(SENT[what]), "-msg", join(temp, what)],
    { ms: 170_000 },
  );
  const [, sec] = /^([\d.]+) s .*grpc-status=0/.exec(stdout.trim()) ?? [];
  if (sec === undefined) throw new Error(`gosend: ${stdout}`);
  return [readFileSync(join(temp, what)).length * SENT[what] / 1e6, Number(sec)];
}

/** One message of a real SDK as `WriteMessages` carries it. */
async function template(kind: "points" | "image", to: string): Promise<void> {
  const path = join(temp, `${kind}.rrd`);
  await run([python!, PY, "save", path, kind], { ms: 60_000 });
  let largest = new Uint8Array();
  const { messages } = readRrd(new Blob([readFileSync(path)]).stream());
  for await (const { msg } of messages) {
    if (msg.kind !== "ArrowMsg") continue;
    const parts = readFrame(msg, "v1alpha1");
    const message = typeof parts === "string" ? largest : concat(...parts).subarray(5);
    if (message.length > largest.length) largest = message.slice();
  }
  console.log(`  ${to}: messages of ${largest.length} bytes`);
  writeFileSync(join(temp, to), largest);
}

async function built(): Promise<string | undefined> {
  const program = join(temp, "sender");
  const ok = await run(["go", "build", "-o", program, "."], { ms: 120_000, cwd: GO })
    .then(() => true, () => false);
  return ok ? program : undefined;
}

/** CPU seconds and the highest resident MiB of a process so far. */
function costs(pid: number): [cpuSec: number, peakMiB: number] {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const [user, system] = stat.slice(stat.lastIndexOf(")")).split(" ").slice(12, 14).map(Number);
  const peak = Number(
    /VmHWM:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1],
  );
  return [(user! + system!) / 100, peak / 1024];
}

const gosend = await built();
console.log(`${await machine()}; load ${loadavg().map((load) => load.toFixed(1)).join(" ")}`);
if (rerun === undefined) console.log("without --rerun: Rerun's own server is left out");
if (gosend === undefined) console.log("there is no Go: the fast sender is left out");
if (python === undefined || !existsSync(python)) {
  console.log("without --python: nothing can be measured");
  process.exit(0);
}
try {
  if (gosend !== undefined) {
    await template("image", "large");
    await template("points", "small");
  }
  for (const name of only) {
    if (gosend === undefined && Object.hasOwn(SENT, name)) continue;
    const runs: Record<string, { rate: number; cpuSec: number; peakMiB: number }[]> = {};
    for (let round = 0; round < rounds; round++) {
      for (const server of Object.keys(SERVERS)) {
        const running = await started(server);
        await using child = running.child;
        const [before] = costs(child.pid!);
        const [mb, sec] = await CASES[name]!(running);
        const [cpu, peakMiB] = costs(child.pid!);
        (runs[server] ??= []).push({ rate: mb / sec, cpuSec: cpu - before, peakMiB });
      }
    }
    const rate = (server: string) => median(runs[server]!.map(({ rate }) => rate));
    const load = loadavg()[0]!.toFixed(1);
    for (const [server, all] of Object.entries(runs)) {
      const times = runs.real === undefined
        ? ""
        : `, ${(rate(server) / rate("real")).toFixed(2)} x`;
      const [cpu, peak] = [median(all.map((r) => r.cpuSec)), median(all.map((r) => r.peakMiB))];
      console.log(
        `${name} ${server}: ${rate(server).toFixed(0)} MB/s${times}, CPU ${cpu.toFixed(2)} s, ` +
          `peak ${peak.toFixed(0)} MiB, load ${load}`,
      );
    }
  }
} finally {
  rmSync(temp, { recursive: true, force: true });
}
