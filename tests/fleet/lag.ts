/**
 * Many boxes, each with a recording of 20 small messages a second, in a few programs that save and
 * forward: how old messages are when they come out of the middle.
 * `deno run -A tests/fleet/lag.ts --boxes 1000 --programs 2 --seconds 30`, or with `bun`. A program stands
 * for hundreds of boxes, and the disk of a box syncs one file at a time: so all recordings of a program
 * share a file. With `--apart 1` each has its own; with `--saved 1`
 * another middle saves all that comes, and with `--bare 1` the same publishes are made by the client
 * alone, which is the least that it takes.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { freePorts } from "../free_ports.ts";
import { provideNats } from "../nats/nats_program.ts";
import { NatsServer } from "../nats/nats_server.ts";
import { scriptArgs } from "../script_args.ts";
import { cpuSeconds } from "./cpu.ts";
import { Program } from "./program.ts";

const CHILD = fileURLToPath(new URL("lag_child.ts", import.meta.url));

interface Side {
  readonly pid: number;
  readonly report: Promise<Record<string, number>>;
}

function child(...args: readonly (string | number)[]): Side {
  const run = "Bun" in globalThis ? [CHILD] : ["run", "-A", "--no-check", CHILD];
  const child = spawn(process.execPath, [...run, ...args.map(String)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => out += text);
  const report = new Promise<Record<string, number>>((resolve, reject) => {
    child.on("close", (code) => {
      if (out.startsWith("{")) resolve(JSON.parse(out));
      else reject(new Error(`${args[0]} ended with ${code}`));
    });
  });
  report.catch(() => {}); // thrown where it is waited for
  return { pid: child.pid!, report };
}

/** Seconds of a processor that each side has taken since. */
function processorTime(sides: Readonly<Record<string, readonly number[]>>) {
  const taken = () =>
    Object.values(sides).map((pids) => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0));
  const before = taken();
  return () => {
    const seconds = taken().map((now, i) => Math.round((now - before[i]!) * 100) / 100);
    return Object.fromEntries(Object.keys(sides).map((name, i) => [name, seconds[i]!]));
  };
}

/** What a program has at most while it runs, and what it has made once it has ended. */
function watched(program: Program, folder: string) {
  const most = { files: 0, memoryMiB: 0 };
  const timer = setInterval(() => {
    most.files = Math.max(most.files, readdirSync(`/proc/${program.pid}/fd`).length);
    const [, kilobytes] = /^VmRSS:\s+(\d+)/m
      .exec(readFileSync(`/proc/${program.pid}/status`, "utf8"))!;
    most.memoryMiB = Math.max(most.memoryMiB, Math.round(Number(kilobytes) / 1024));
  }, 250);
  return async () => {
    clearInterval(timer);
    const since = performance.now();
    const code = await program.end("SIGTERM");
    const endSec = Math.round(performance.now() - since) / 1000;
    const files = readdirSync(folder).filter((name) => name.endsWith(".rrd")).length;
    const [told] = /(?:WARN|ERROR).*/.exec(program.log) ?? [];
    return { mostOpen: most.files, memoryMiB: most.memoryMiB, endSec, code, files, told };
  };
}

async function measure(boxes: number, programs: number, seconds: number) {
  const folder = mkdtempSync(join(tmpdir(), "rerelay-lag-"));
  await using nats = await NatsServer.start();
  const all = (await freePorts(programs)).map((port, i) => {
    const save = join(folder, `${i}`, `${numbers.apart > 0 ? "{recording_id}-" : ""}{part}.rrd`);
    const args = ["--port", `${port}`, "--save", save, "--forward", nats.url];
    return { port, program: new Program(`box ${i}`, [...args, "--box", `box-${i}`]) };
  });
  const middleFolder = join(folder, "middle");
  const [port] = await freePorts(1);
  const saving = new Program("middle", [
    ...["--port", `${port}`, "--from", nats.url],
    ...["--save", join(middleFolder, "{recording_id}-{part}.rrd")],
  ]);
  const savers = numbers.saved > 0 ? [saving] : [];
  try {
    await Promise.all(
      [...all.map(({ program }) => program), ...savers].map((each) => each.start()),
    );
    const [ended] = savers.map((program) => watched(program, middleFolder));
    const boxEnds = all.map(({ program }, i) => watched(program, join(folder, `${i}`)));
    const middle = child("middle", nats.url);
    const each = Math.ceil(boxes / programs);
    const robots = child("robots", each, seconds, ...all.map(({ port }) => port));
    const used = processorTime({
      boxes: all.map(({ program }) => program.pid),
      nats: [nats.pid],
      middle: [middle.pid],
      saving: savers.map(({ pid }) => pid),
    });
    // They are gone by then, and have told themselves what they took.
    const { sent, lateMs, cpuSec: robotsSec } = await robots.report;
    const cpuSec = { robots: Math.round(robotsSec! * 100) / 100, ...used() };
    const lag = await middle.report;
    const saved = {
      boxes: await Promise.all(boxEnds.map((end) => end())),
      middle: await ended?.(),
    };
    return { boxes, sent, lateMs: Math.round(lateMs!), ...lag, cpuSec, saved };
  } finally {
    const started = [...all.map(({ program }) => program), ...savers];
    await Promise.all(started.map((program) => program.end("SIGKILL").catch(() => null)));
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The control: a bare client publishes and consumes as much, in as many programs. */
async function measureBare(boxes: number, programs: number, seconds: number) {
  await using nats = await NatsServer.start();
  const middle = child("bare-middle", nats.url);
  const each = Math.ceil(boxes / programs);
  const publishers = Array.from(
    { length: programs },
    (_, i) => child("bare-box", i * each, each, seconds, nats.url),
  );
  const pids = publishers.map(({ pid }) => pid);
  const used = processorTime({ boxes: pids, nats: [nats.pid], middle: [middle.pid] });
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const cpuSec = used();
  const sent = await Promise.all(publishers.map(({ report }) => report));
  const total = sent.reduce((sum, publisher) => sum + publisher["sent"]!, 0);
  return { bare: true, boxes, sent: total, ...await middle.report, cpuSec };
}

const { missing } = provideNats();
const { numbers } = scriptArgs({
  ...{ boxes: 1000, programs: 2, seconds: 30, apart: 0, saved: 0, bare: 0 },
});
const { boxes, programs } = numbers;
if (missing) {
  console.log(missing);
} else {
  const run = numbers.bare > 0 ? measureBare : measure;
  const report = await run(boxes, programs, numbers.seconds);
  console.log(JSON.stringify(report));
}
