/**
 * A robot's camera, points and scalars, to viewers on links as people have them, one of which stalls and
 * one of which stops: what each is shown, how old that is, and whether anybody else notices.
 *
 * `deno run -A tests/soak/robot_links.ts [--runtimes deno,bun] [--doors websocket,http,grpc,grpc-web]
 * [--seconds 300] [--plot docs/links.svg]`
 *
 * Ends with a line `N passed, N failed`.
 */
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import process from "node:process";
import { parseArgs } from "@std/cli";
import type { ViewerStats } from "../../lib/viewers/types.ts";
import { Cli, type Runtime } from "../conformance/cli_process.ts";
import { HELLO } from "../encoding/rrd_builder.ts";
import { type Door, DOORS, portsOf } from "./door_readers.ts";
import { type Connection, LinkedViewer, percentile } from "./linked_viewer.ts";
import { linksPlot } from "./links_plot.ts";
import { type Link, LinksProcess } from "./links_process.ts";
import { residentBytes } from "./resident.ts";
import { RobotPackets } from "./robot_packets.ts";
import { Wakes } from "./wakes.ts";

const MiB = 2 ** 20;
const LIMIT_BYTES = 256 * MiB;
const SLACK_BYTES = 150 * MiB;
const CAMERA_HZ = 30;
/** Every so many pictures there are points and scalars. */
const SLOW_EVERY = 3;
/** 20 MB/s of pictures, 1 MB/s of points. */
const BYTES = { picture: 333_000, points: 100_000 };
const SCALARS = 10;
/** Marks have the time in five digits at least. */
const FIRST_FRAME = 100_000;
const LATE_MS = 2500;
/** What the system takes of a connection at most is no fault of the server's. */
const MAX_HELD_BYTES = 4 * MiB;
/** Once nothing more is logged, the slowest has so long to be given what is light. */
const DRAIN_MS = 30_000;
const STOPS_AFTER_MS = 5000;
const GONE_MS = 11_500;

/** Says whether something is as it must be. */
type Must = (ok: boolean, what: string) => void;

function connections(seconds: number): Connection[] {
  const everyMs = Math.max(20, Math.min(60, seconds * 0.6)) * 1000;
  return [
    ...[1, 4, 10, 100].map((rate) => ({ name: `${rate} MB/s`, bytesPerSec: rate * 1e6 })),
    { name: "stalls", bytesPerSec: 100e6, stall: { everyMs, forMs: 8000 } },
    { name: "stops", bytesPerSec: 100e6, stopsAfterMs: STOPS_AFTER_MS },
  ].map((link) => ({ delayMs: 20, ...link }));
}

/** What was logged. */
interface Logged {
  /** Kinds of heavy messages by frame. */
  readonly frames: ReadonlyMap<number, string>;
  readonly scalars: number;
  /** How long it waited for the server, at most and in all, in milliseconds. */
  readonly waitedMs: { readonly most: number; readonly all: number };
}

/** Logs as the clock says. */
async function robot(port: number, seconds: number): Promise<Logged> {
  const packets = new RobotPackets("rec", BYTES);
  const frames = new Map<number, string>();
  let [scalars, most, all] = [0, 0, 0];
  const socket = connect(port, "127.0.0.1");
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.resume().write(HELLO);
  socket.write(packets.info());
  const begun = performance.now();
  for (let i = 0; i < seconds * CAMERA_HZ; i++) {
    const ahead = begun + i * 1000 / CAMERA_HZ - performance.now();
    if (ahead > 1) await new Promise((resolve) => setTimeout(resolve, ahead));
    const frame = FIRST_FRAME + i;
    const kinds = i % SLOW_EVERY === 0 ? "LRP" : "LR";
    frames.set(frame, kinds);
    const light = i % SLOW_EVERY === 0 ? Array<"S">(SCALARS).fill("S") : [];
    scalars += light.length;
    let isTaken = true;
    for (const kind of [...light, ...kinds] as ("S" | "L" | "R" | "P")[]) {
      isTaken = socket.write(packets.packet(kind, frame, Date.now()));
    }
    if (isTaken) continue;
    const since = performance.now();
    await new Promise((resolve) => socket.once("drain", resolve));
    most = Math.max(most, performance.now() - since);
    all += performance.now() - since;
  }
  socket.end();
  await closed;
  return { frames, scalars, waitedMs: { most, all } };
}

/** One run, and what was seen. */
export async function robotLinks(
  runtime: Runtime,
  door: Door,
  seconds: number,
  must: Must,
): Promise<readonly LinkedViewer[]> {
  await using cli = await Cli.start(runtime, [
    ...["--serve-web", "--ws-server-port", "0", "--web-viewer-port", "0"],
    ...["--server-memory-limit", `${LIMIT_BYTES}B`, "--viewer-latency", "2s"],
  ]);
  const ports = await portsOf(cli);
  const hub = async () => (await (await fetch(`http://127.0.0.1:${ports.http}/status`)).json()).hub;
  const wanted = connections(seconds);
  await using process = await LinksProcess.open(ports[door], wanted);
  const openedMs = performance.now();
  const viewers = wanted.map((connection, i) =>
    new LinkedViewer(connection, door, process.links[i]!)
  );
  while ((await hub()).viewers.length < viewers.length) await new Promise((r) => setTimeout(r, 20));
  let peak = 0;
  const wakes = new Wakes();
  const watch = setInterval(() => {
    peak = Math.max(peak, residentBytes(cli.child.pid!));
    for (const viewer of viewers) viewer.look();
  }, 200);
  let goneMs: number | undefined;
  const asks = setInterval(async () => {
    const { gone } = await hub();
    if (gone.stalled > 0) goneMs ??= performance.now() - openedMs - STOPS_AFTER_MS;
  }, 250);
  const logged = await robot(cli.port, seconds);
  const alive = viewers.slice(0, -1);
  const isComplete = () => alive.every(({ scalars }) => scalars.size === logged.scalars);
  const deadline = performance.now() + DRAIN_MS;
  while (!isComplete() && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  // Pictures that are on their way.
  const told = async () => countsOf((await hub()).viewers);
  const isAsTold = (counts: Counts) =>
    alive.every((viewer, i) =>
      viewer.frames.size === counts.get(process.links[i]!)?.shown && tornIn(viewer, logged) === 0
    );
  while (!isAsTold(await told()) && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  for (const timer of [watch, asks]) clearInterval(timer);
  wakes.stop();
  const { gone, viewers: stats } = await hub();
  const metrics = await (await fetch(`http://127.0.0.1:${ports.http}/metrics`)).text();
  const name = `${runtime}, ${door}`;
  const counts = countsOf(stats);
  judgeMetrics(metrics, stats, name, must);
  for (const [i, viewer] of alive.entries()) {
    judge(viewer, logged, name, wakes.latestMs, must);
    const { shown, leftOut, bytes } = counts.get(process.links[i]!) ?? NOT_COUNTED;
    must(
      shown === viewer.frames.size && shown + leftOut === logged.frames.size &&
        Math.abs(bytes / viewer.bytes - 1) < 0.01,
      `${name}, ${viewer.connection.name}: /status tells of ${shown} frames shown, ${leftOut} left ` +
        `out and ${bytes} bytes sent; ${viewer.bytes} came`,
    );
  }
  must(
    gone.stalled === (door === "grpc-web" && seconds < 70 ? 0 : 1) &&
      gone.failed + gone.closed + gone.left === 0 &&
      alive.every(({ endedMs }) => endedMs === undefined),
    `${name}: nobody but the one that stops is cut off: ${JSON.stringify(gone)}`,
  );
  const skipped = stats.map(({ skipped }: { skipped: { messages: number } }) => skipped.messages);
  console.log(`      ${name}: skipped for want of memory: ${skipped.join(", ")} messages`);
  // A page has a minute.
  const isBrowser = door === "grpc-web";
  must(
    goneMs === undefined ? isBrowser : goneMs < (isBrowser ? 61_500 : GONE_MS) + wakes.latestMs,
    `${name}: it is gone ${goneMs === undefined ? "not yet" : `${ms(goneMs)} after it stopped`}`,
  );
  const { most, all } = logged.waitedMs;
  must(
    all < seconds * 1000 * 0.2 && most < 1000 + wakes.latestMs,
    `${name}: the SDK is not slowed: it waited ${most.toFixed(0)} ms at most, ` +
      `${(all / seconds / 10).toFixed(1)} % of the time; this script woke ${
        wakes.latestMs.toFixed(0)
      } ms late at most`,
  );
  must(
    peak < LIMIT_BYTES + SLACK_BYTES,
    `${name}: memory ${(peak / MiB).toFixed(0)} MiB, within the limit of ` +
      `${LIMIT_BYTES / MiB} MiB + ${SLACK_BYTES / MiB} MiB`,
  );
  for (const viewer of viewers) viewer.close();
  await cli.stop();
  return alive;
}

interface Counted {
  readonly shown: number;
  readonly leftOut: number;
  readonly bytes: number;
}

/** What `/status` tells of a viewer, by the link that it is on. */
type Counts = Pick<ReadonlyMap<Link, Counted>, "get">;

const NOT_COUNTED: Counted = { shown: NaN, leftOut: NaN, bytes: NaN };

function countsOf(viewers: readonly ViewerStats[]): Counts {
  return {
    get({ serverPorts }) {
      const of = viewers.find(({ addr }) => serverPorts.includes(Number(addr?.split(":").at(-1))));
      if (of?.thinned === undefined) return undefined;
      const { shownFrames: shown, leftOutFrames: leftOut } = of.thinned;
      return { shown, leftOut, bytes: of.sent.bytes };
    },
  };
}

/** Whether `/metrics` tells of each viewer what `/status` tells, and of all as much as of those together. */
function judgeMetrics(
  metrics: string,
  stats: readonly ViewerStats[],
  name: string,
  must: Must,
): void {
  const valuesOf = (metric: string) =>
    Array.from(
      metrics.matchAll(new RegExp(`^rerelay_${metric}_total(\\{.*\\})? (\\S+)$`, "gm")),
      ([, labels = "", value]) => ({ labels, value: Number(value) }),
    );
  const wrong: string[] = [];
  const told = [
    ["shown_frames", (of: ViewerStats) => of.thinned?.shownFrames ?? NaN],
    ["thinned_frames", (of: ViewerStats) => of.thinned?.leftOutFrames ?? NaN],
    ["sent_bytes", (of: ViewerStats) => of.sent.bytes],
    ["skipped_messages", (of: ViewerStats) => of.skipped.messages],
  ] as const;
  for (const [metric, of] of told) {
    const each = valuesOf(`viewer_${metric}`);
    for (const one of stats) {
      const value = each.find(({ labels }) => labels.includes(`viewer="${one.id}"`))?.value;
      if (value !== of(one)) wrong.push(`${metric} of viewer ${one.id}: ${value}, not ${of(one)}`);
    }
    const all = valuesOf(`viewers_${metric}`).reduce((sum, { value }) => sum + value, 0);
    const sum = stats.reduce((sum, one) => sum + of(one), 0);
    // The one that stopped is no longer listed.
    if (!(all >= sum)) wrong.push(`${metric} of all: ${all}, and of those listed ${sum}`);
  }
  must(wrong.length === 0, `${name}: /metrics tells the same of ${stats.length} viewers ${wrong}`);
}

/** How many frames it has in part. */
function tornIn({ frames }: LinkedViewer, logged: Logged): number {
  return Array.from(frames).filter(([frame, kinds]) =>
    kinds.length !== logged.frames.get(frame)!.length
  ).length;
}

/**
 * What one viewer was shown.
 *
 * @param latestMs how late this script woke at most
 */
function judge(
  viewer: LinkedViewer,
  logged: Logged,
  name: string,
  latestMs: number,
  must: Must,
): void {
  const { connection: { name: link, bytesPerSec, stall }, heavy, frames, scalars } = viewer;
  const ages = heavy.map(({ ageMs }) => ageMs);
  const [median, late] = [percentile(ages, 0.5), percentile(ages, 0.99)];
  // What the system took before a stall comes when it is over; with one a minute that is below 1 %.
  const stallMs = stall !== undefined && stall.everyMs < 60_000 ? stall.forMs : 0;
  const heldBytes = Math.min(viewer.heldBytes, MAX_HELD_BYTES);
  const allowed = LATE_MS + stallMs + heldBytes / bytesPerSec * 1000 + latestMs;
  const torn = tornIn(viewer, logged);
  const who = `${name}, ${link}`;
  must(
    late <= allowed && ages.length > 0,
    `${who}: pictures are ${ms(median)} old (median), ${ms(late)} (p99), ${
      ms(Math.max(...ages))
    } ` +
      `at most; ${ms(allowed)} with the ${
        (viewer.heldBytes / 1e6).toFixed(1)
      } MB that the system held`,
  );
  must(
    scalars.size === logged.scalars && viewer.twice === 0,
    `${who}: ${scalars.size} of ${logged.scalars} scalars, p99 ${
      ms(percentile(viewer.scalarAges, 0.99))
    }; ${viewer.twice} messages came twice`,
  );
  must(
    torn === 0,
    `${who}: ${frames.size} of ${logged.frames.size} frames, ${torn} of them torn`,
  );
}

function ms(value: number): string {
  return value < 1000 ? `${value.toFixed(0)} ms` : `${(value / 1000).toFixed(1)} s`;
}

if (import.meta.main) {
  const args = parseArgs(process.argv.slice(2), {
    string: ["runtimes", "doors", "seconds", "plot"],
  });
  const list = (name: string, all: string) => String(args[name] ?? all).split(",");
  const seconds = Number(args["seconds"] ?? 300);
  const counts = { passed: 0, failed: 0 };
  const must: Must = (ok, what) => {
    if (ok) counts.passed++;
    else counts.failed++;
    console.log(`${ok ? "ok    " : "FAILED"} ${what}`);
  };
  const runs: { readonly title: string; readonly viewers: readonly LinkedViewer[] }[] = [];
  for (const runtime of list("runtimes", "deno,bun") as Runtime[]) {
    for (const door of list("doors", DOORS.join()) as Door[]) {
      try {
        const viewers = await robotLinks(runtime, door, seconds, must);
        runs.push({ title: `${runtime === "deno" ? "Deno" : "Bun"}, ${door}`, viewers });
      } catch (error) {
        must(false, `${runtime}, ${door}: ${(error as Error).message}`);
      }
    }
  }
  if (args["plot"] !== undefined) writeFileSync(String(args["plot"]), linksPlot(runs));
  console.log(`${counts.passed} passed, ${counts.failed} failed`);
  process.exit(counts.failed === 0 ? 0 : 1);
}
