/**
 * A box that forwards, and whose link is cut while a robot logs: nothing is lost, it catches up at three
 * times the rate of what is logged or more, its memory stays, and the robot is never held up.
 *
 * `deno run -A tests/fleet/outage.ts [--targets nats,rerelay,rerun,s3] [--cuts stop,port]
 * [--runtimes deno,bun] [--seconds 120] [--small 200] [--megabytes 2] [--at-once 4]`
 *
 * Of cuts of less than a minute, times are told and not judged. A cut of kind `stop` stops the server's process (SIGSTOP); `port` closes the port that leads to it.
 * Servers that are not here are left out. Ends with a line `N passed, N failed`.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "@std/cli";
import type { Runtime } from "../conformance/cli_process.ts";
import { CutLink } from "./cut_link.ts";
import { drive, type Load, type Sample, startRerelay, type Taken, Watch } from "./outage_box.ts";
import { TARGETS } from "./outage_targets.ts";

/** One run. */
export interface OutageCase {
  readonly target: string;
  readonly cut: "stop" | "port";
  readonly runtime: Runtime;
  readonly seconds: number;
  readonly load: Load;
}

/** What it found out. */
export interface OutageReport {
  readonly target: string;
  readonly cut: string;
  readonly runtime: string;
  /** What waited on the disk when the link came back, in MB. */
  readonly behindMb: number;
  /** From the link's coming back until nothing waits but what comes, in seconds. */
  readonly caughtUpSec: number;
  /** What was sent meanwhile, per second, as a multiple of what was logged per second. */
  readonly timesLive: number;
  /** Resident memory, in MiB: highest before the cut, in it, and behind it. */
  readonly residentMib: readonly [number, number, number];
  /** How long the slowest packet took to leave the robot, in milliseconds: before the cut, and since. */
  readonly slowestMs: readonly [number, number];
  /** What is not as it must be. */
  readonly wrong: readonly string[];
}

const MIB = 2 ** 20;
/** A value of a curve, about. */
const SMALL_BYTES = 2500;
const WARM_MS = 8000;
const CATCH_UP_MS = 120_000;
const MIN_TIMES_LIVE = 3;
/** What waits would be far more, if it was in memory; batches under way, and garbage, are not. */
const MAX_MORE_BYTES = 96 * MIB;
/** A robot that waited for its box's link would wait for most of the cut. */
const MAX_SLOWEST_MS = 3000;

/** Runs one case. */
export async function playOutage(play: OutageCase): Promise<OutageReport> {
  const { target: name, cut, runtime, seconds, load } = play;
  const { small, pictureBytes } = load;
  const folder = mkdtempSync(join(tmpdir(), "rerelay-outage-"));
  const target = await TARGETS[name]!.start(folder, runtime);
  const link = cut === "port" ? await CutLink.open(target.port) : undefined;
  const port = link?.port ?? target.port;
  const boxFolder = join(folder, "box");
  const box = await startRerelay(runtime, [
    ...["--save", join(boxFolder, "{recording_id}-{part}.rrd"), "--rotate-size", "8MiB"],
    ...["--forward", target.url(port), "--box", "box-7"],
    // For its status alone: nothing is kept for viewers.
    ...["--serve-web", "--web-viewer-port", "0", "--ws-server-port", "0"],
    ...["--server-memory-limit", "1MB"],
  ], target.env(port));
  const watch = new Watch(box);
  const stop = new AbortController();
  try {
    const driving = drive(box.port, load, stop.signal);
    await wait(WARM_MS);
    const before = await watch.look();
    if (link !== undefined) await link.cut();
    else target.signal("SIGSTOP");
    await wait(seconds * 1000);
    const cutOff = await watch.look();
    if (link !== undefined) await link.restore();
    else target.signal("SIGCONT");
    const live = watch.samples.filter(({ atMs }) => atMs <= before.atMs).slice(4);
    // A batch gathers for a second at most, and is under way for as long.
    const logged = 2 * (small * SMALL_BYTES + pictureBytes);
    const usual = Math.max(logged, ...live.map(({ lagBytes }) => lagBytes)) + 2 * MIB;
    const caughtUp = await watch.until(
      "the box to catch up",
      ({ lagBytes }) => lagBytes <= usual,
      CATCH_UP_MS,
    );
    await wait(2000);
    stop.abort();
    const taken = await driving;
    await watch.until("the rest", ({ lagBytes }) => name === "s3" || lagBytes === 0, CATCH_UP_MS);
    watch.stop();
    // What is open is closed, and goes the same way.
    box.child.kill("SIGTERM");
    const { code, stderr } = await box.child.ended;
    let difference = await target.difference(boxFolder);
    for (let tries = 0; difference !== undefined && tries < 20; tries++) {
      await wait(500);
      difference = await target.difference(boxFolder);
    }
    const report = reportOf(play, watch.samples, { before, cutOff, caughtUp }, taken);
    const wrong = [...report.wrong];
    if (difference !== undefined) wrong.push(difference);
    if (code !== 0) wrong.push(`the box ended with ${code}: ${stderr.slice(-2000)}`);
    if (wrong.length > 0) console.error(complaintsOf(box.child.stderr));
    return { ...report, wrong };
  } catch (error) {
    console.error(`${name} ${cut} ${runtime}: ${complaintsOf(box.child.stderr)}`);
    throw error;
  } finally {
    stop.abort();
    watch.stop();
    await link?.cut();
    await box[Symbol.asyncDispose]();
    await target.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function reportOf(
  { target, cut, runtime, seconds }: OutageCase,
  samples: readonly Sample[],
  { before, cutOff, caughtUp }: Readonly<Record<"before" | "cutOff" | "caughtUp", Sample>>,
  taken: readonly Taken[],
): OutageReport {
  const inSec = (from: Sample, to: Sample) => (to.atMs - from.atMs) / 1000;
  const livePerSec = (cutOff.receivedBytes - before.receivedBytes) / inSec(before, cutOff);
  // The pause that the box makes between two attempts is in the time that it takes, and not in its rate.
  const first =
    samples.findLast(({ atMs, sentBytes }) =>
      atMs < caughtUp.atMs && sentBytes === cutOff.sentBytes
    ) ?? cutOff;
  const sentPerSec = (caughtUp.sentBytes - first.sentBytes) / inSec(first, caughtUp);
  const phase = (from: number, to: number) =>
    Math.max(
      ...samples.filter(({ atMs }) => atMs >= from && atMs <= to)
        .map(({ residentBytes }) => residentBytes),
    );
  const resident = [
    phase(0, before.atMs),
    phase(before.atMs, cutOff.atMs),
    phase(cutOff.atMs, Infinity),
  ] as const;
  const slowest = (isWanted: (atMs: number) => boolean) =>
    Math.max(0, ...taken.filter(({ atMs }) => isWanted(atMs)).map(({ ms }) => ms));
  // The first second is that of a connection that is made.
  const slowestMs = [
    slowest((atMs) => atMs > taken[0]!.atMs + 1000 && atMs < before.atMs),
    slowest((atMs) => atMs >= before.atMs),
  ] as const;
  const wrong: string[] = [];
  const timesLive = sentPerSec / livePerSec;
  // Of a short cut too little waits to tell a rate by, and other tests run beside it.
  const isTimed = seconds >= 60;
  if (isTimed && timesLive < MIN_TIMES_LIVE) {
    wrong.push(`it caught up at ${timesLive} times the live rate`);
  }
  const moreBytes = Math.max(resident[1], resident[2]) - resident[0];
  if (moreBytes > MAX_MORE_BYTES) wrong.push(`${moreBytes} bytes of memory more than before`);
  if (isTimed && slowestMs[1] > MAX_SLOWEST_MS) {
    wrong.push(`a packet of the robot took ${slowestMs[1]} ms`);
  }
  if (caughtUp.droppedMessages > 0) wrong.push(`${caughtUp.droppedMessages} messages dropped`);
  const round = (value: number, digits = 1) => Number(value.toFixed(digits));
  return {
    ...{ target, cut, runtime, wrong },
    behindMb: round(cutOff.lagBytes / 1e6),
    caughtUpSec: round(inSec(cutOff, caughtUp)),
    timesLive: round(timesLive),
    residentMib: resident.map((bytes) => Math.round(bytes / MIB)) as [number, number, number],
    slowestMs: slowestMs.map((ms) => round(ms)) as [number, number],
  };
}

function complaintsOf(log: string): string {
  return log.split("\n").filter((line) => / (WARN|ERROR) |takes messages/.test(line)).slice(-20)
    .join("\n");
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Runs one case in a process of its own, so that none is disturbed by another's comparing. */
function playApart(args: readonly string[]): Promise<boolean> {
  const script = fileURLToPath(import.meta.url);
  const run = "Bun" in globalThis ? [script] : ["run", "-A", "--no-check", "--quiet", script];
  const child = spawn(process.execPath, [...run, ...args], { stdio: "inherit" });
  return new Promise((resolve) => child.once("exit", (code) => resolve(code === 0)));
}

async function main(): Promise<void> {
  const args = parseArgs(process.argv.slice(2), {
    string: ["targets", "cuts", "runtimes", "seconds", "small", "megabytes", "at-once", "case"],
  });
  const given = (name: string, otherwise: string) => String(args[name] ?? otherwise);
  const seconds = Number(given("seconds", "120"));
  // In a short cut less waits, and has to be told from what a runtime takes for itself.
  const megabytes = given("megabytes", seconds < 60 ? "4" : "2");
  const small = given("small", "200");
  if (args["case"] !== undefined) {
    const [target = "", cut = "", runtime = ""] = given("case", "").split(" ");
    const report = await playOutage({
      ...{ target, seconds, cut: cut as "stop" | "port", runtime: runtime as Runtime },
      load: { small: Number(small), pictureBytes: Number(megabytes) * 1e6 },
    });
    console.log(JSON.stringify(report));
    process.exit(report.wrong.length === 0 ? 0 : 1);
  }
  const cases: string[] = [];
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const target of given("targets", Object.keys(TARGETS).join(",")).split(",")) {
    const { missing } = TARGETS[target]!;
    if (missing !== false) console.log(`${target} is left out: ${missing}`);
    for (const cut of given("cuts", "stop,port").split(",")) {
      for (const runtime of given("runtimes", "deno,bun").split(",")) {
        if (missing === false) cases.push(`${target} ${cut} ${runtime}`);
        else counts.skipped++;
      }
    }
  }
  const more = ["--seconds", `${seconds}`, "--small", small, "--megabytes", megabytes];
  const worker = async () => {
    for (let next = cases.shift(); next !== undefined; next = cases.shift()) {
      const isRight = await playApart(["--case", next, ...more]);
      if (isRight) counts.passed++;
      else {
        counts.failed++;
        console.log(`FAILED ${next}`);
      }
    }
  };
  await Promise.all(Array.from({ length: Number(given("at-once", "4")) }, worker));
  const { passed, failed, skipped } = counts;
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  process.exit(failed === 0 ? 0 : 1);
}

if (import.meta.main) await main();
