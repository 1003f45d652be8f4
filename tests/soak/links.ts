/**
 * A burst through the real command line to viewers on slow links, as at the start of a program that logs
 * meshes and pictures: all get it, once, through whichever door, and none is cut off.
 *
 * `deno run -A tests/soak/links.ts [--runtimes deno,bun] [--doors websocket,http,grpc,grpc-web]
 * [--megabytes 500] [--rates 10,30,100]`
 *
 * `--rates` are in MB/s. Ends with a line `N passed, N failed`.
 */
import { connect } from "node:net";
import process from "node:process";
import { parseArgs } from "@std/cli";
import { Cli, type Runtime } from "../conformance/cli_process.ts";
import { HELLO } from "../encoding/rrd_builder.ts";
import { type Door, DOORS, portsOf } from "./door_readers.ts";
import { LinkedViewer } from "./linked_viewer.ts";
import { LinksProcess } from "./links_process.ts";
import { residentBytes } from "./resident.ts";
import { RobotPackets } from "./robot_packets.ts";

const MiB = 2 ** 20;
const LIMIT_BYTES = 1024 * MiB;
const SLACK_BYTES = 150 * MiB;
const BYTES = { picture: 333_000, points: 20_000_000 };
/** Every so many messages one is a mesh; the others are pictures. */
const MESH_EVERY = 100;
/** Marks have the time in five digits at least. */
const FIRST_FRAME = 100_000;
const JOIN_MS = 10_000;
const counts = { passed: 0, failed: 0 };

function check(what: string, ok: boolean, figure: string): void {
  if (ok) counts.passed++;
  else counts.failed++;
  console.log(`${ok ? "ok    " : "FAILED"} ${what}: ${figure}`);
}

/**
 * Logs so much as fast as it is taken.
 *
 * @returns how many messages that were
 */
async function burst(port: number, bytes: number): Promise<number> {
  const packets = new RobotPackets("burst", BYTES);
  const socket = connect(port, "127.0.0.1");
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.resume().write(HELLO);
  socket.write(packets.info());
  let [sent, count] = [0, 0];
  while (sent < bytes) {
    const packet = packets.packet(
      count % MESH_EVERY === 0 ? "P" : "L",
      FIRST_FRAME + count,
      Date.now(),
    );
    sent += packet.length;
    count++;
    if (socket.write(packet)) continue;
    await new Promise((resolve) => socket.once("drain", resolve));
  }
  socket.end();
  await closed;
  return count;
}

/** Waits until something is so, but not for ever. */
async function until(isSo: () => boolean | Promise<boolean>, ms: number): Promise<void> {
  const deadline = performance.now() + ms;
  while (!await isSo() && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function run(
  runtime: Runtime,
  door: Door,
  megabytes: number,
  rates: readonly number[],
): Promise<void> {
  await using cli = await Cli.start(runtime, [
    ...["--serve-web", "--ws-server-port", "0", "--web-viewer-port", "0"],
    ...["--server-memory-limit", `${LIMIT_BYTES}B`],
  ]);
  const ports = await portsOf(cli);
  const hub = async () => (await (await fetch(`http://127.0.0.1:${ports.http}/status`)).json()).hub;
  const wanted = rates.map((rate) => ({
    name: `${rate} MB/s`,
    bytesPerSec: rate * 1e6,
    delayMs: 20,
  }));
  await using links = await LinksProcess.open(ports[door], wanted);
  const viewers = wanted.map((link, i) => new LinkedViewer(link, door, links.links[i]!));
  await until(async () => (await hub()).viewers.length === rates.length, JOIN_MS);
  let peak = 0;
  const watch = setInterval(() => peak = Math.max(peak, residentBytes(cli.child.pid!)), 100);
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  const tookSec = rates.map(() => NaN);
  const messages = await burst(cli.port, megabytes * 1e6);
  const sentSec = seconds();
  await until(() => {
    for (const [i, { heavy, twice }] of viewers.entries()) {
      if (Number.isNaN(tookSec[i]) && heavy.length - twice === messages) tookSec[i] = seconds();
    }
    return tookSec.every((sec) => !Number.isNaN(sec));
  }, 2 * megabytes * 1e3 / Math.min(...rates) + 20_000);
  clearInterval(watch);
  const { gone, viewers: stats, history } = await hub();
  const name = `${runtime}, ${door}`;
  const got = viewers.map(({ heavy, twice }) => heavy.length - twice);
  check(
    `${name}: viewers at ${rates.join(", ")} MB/s got all of ${megabytes} MB, once`,
    got.every((count) => count === messages) && viewers.every(({ twice }) => twice === 0),
    `${got.join(", ")} of ${messages} messages after ${
      tookSec.map((sec) => sec.toFixed(1)).join(", ")
    } s, sent in ${sentSec.toFixed(1)} s`,
  );
  check(
    `${name}: none was cut off`,
    Object.values(gone as Record<string, number>).every((count) => count === 0) &&
      viewers.every(({ endedMs }) => endedMs === undefined) && stats.length === rates.length,
    JSON.stringify(gone),
  );
  const skipped = stats.map(({ skipped }: { skipped: { messages: number } }) => skipped.messages);
  check(
    `${name}: none skipped`,
    skipped.every((count: number) => count === 0),
    `${skipped.join(", ")} messages, ${history.evicted.messages} dropped from history`,
  );
  check(
    `${name}: memory within limit + 150 MiB`,
    peak < LIMIT_BYTES + SLACK_BYTES,
    `${(peak / MiB).toFixed(0)} MiB`,
  );
  for (const viewer of viewers) viewer.close();
}

const args = parseArgs(process.argv.slice(2), {
  string: ["runtimes", "doors", "megabytes", "rates"],
});
const given = (name: string, otherwise: string) => String(args[name] ?? otherwise);
const rates = given("rates", "10,30,100").split(",").map(Number);
for (const runtime of given("runtimes", "deno,bun").split(",") as Runtime[]) {
  for (const door of given("doors", DOORS.join()).split(",") as Door[]) {
    try {
      await run(runtime, door, Number(given("megabytes", "500")), rates);
    } catch (error) {
      check(`${runtime}, ${door}`, false, (error as Error).message);
    }
  }
}
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exit(counts.failed === 0 ? 0 : 1);
