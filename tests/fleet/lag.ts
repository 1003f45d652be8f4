/**
 * Many boxes, each with a recording of 20 small messages a second, in a few programs that save and
 * forward: how old messages are when they come out of the middle.
 * `deno run -A tests/fleet/lag.ts --boxes 1000 --programs 4 --seconds 20`, or with `bun`; with `--bare 1`
 * the same publishes by the client alone, which is the least that it takes.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
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

async function measure(boxes: number, programs: number, seconds: number) {
  const folder = mkdtempSync(join(tmpdir(), "rerelay-lag-"));
  await using nats = await NatsServer.start();
  const all = (await freePorts(programs)).map((port, i) => {
    const save = join(folder, `${i}`, "{recording_id}-{part}.rrd");
    const args = ["--port", `${port}`, "--save", save, "--forward", nats.url];
    return { port, program: new Program(`box ${i}`, [...args, "--box", `box-${i}`]) };
  });
  try {
    await Promise.all(all.map(({ program }) => program.start()));
    const middle = child("middle", nats.url);
    const each = Math.ceil(boxes / programs);
    const robots = all.map(({ port }, i) => child("robots", i * each, each, seconds, port));
    const used = processorTime({
      boxes: all.map(({ program }) => program.pid),
      nats: [nats.pid],
      middle: [middle.pid],
    });
    const sent = await Promise.all(robots.map(({ report }) => report));
    // They are gone by now, and have told it themselves.
    const robotsSec = sent.reduce((sum, robots) => sum + robots["cpuSec"]!, 0);
    const cpuSec = { robots: Math.round(robotsSec * 100) / 100, ...used() };
    const lag = await middle.report;
    const total = sent.reduce((sum, robots) => sum + robots["sent"]!, 0);
    const lateMs = Math.max(...sent.map((robots) => robots["lateMs"]!));
    return { boxes, sent: total, lateMs: Math.round(lateMs), ...lag, cpuSec };
  } finally {
    await Promise.all(all.map(({ program }) => program.end("SIGKILL").catch(() => null)));
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

/** So many files a program has open at most: with more recordings it closes one for each message. */
const MAX_OPEN = 256;

const { missing } = provideNats();
const { numbers } = scriptArgs({ boxes: 1000, programs: 4, seconds: 20, bare: 0 });
const { boxes, programs } = numbers;
const least = Math.ceil(boxes / MAX_OPEN);
if (missing) {
  console.log(missing);
} else if (programs < least && numbers.bare === 0) {
  console.error(
    `--boxes ${boxes} in --programs ${programs} are ${Math.ceil(boxes / programs)} recordings a ` +
      `program, which has ${MAX_OPEN} files open at most and would close one for each message: ` +
      `--programs ${least} or more`,
  );
  process.exitCode = 2;
} else {
  const run = numbers.bare > 0 ? measureBare : measure;
  const report = await run(boxes, programs, numbers.seconds);
  console.log(JSON.stringify(report));
}
