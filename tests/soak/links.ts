/**
 * A burst through the real command line to viewers on slow links: all get it, and none is cut off.
 *
 * `deno run -A tests/soak/links.ts [--runtimes deno,bun] [--megabytes 500] [--rates 10,30,100]`
 *
 * `--rates` are in MB/s. Ends with a line `N passed, N failed`.
 */
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import process from "node:process";
import { parseArgs } from "@std/cli";
import { Cli, type Runtime } from "../conformance/cli_process.ts";
import { residentBytes } from "./resident.ts";
import { SlowLink } from "./slow_link.ts";
import { CountingViewer } from "./viewer_clients.ts";

const MiB = 2 ** 20;
const LIMIT_BYTES = 1024 * MiB;
const SLACK_BYTES = 150 * MiB;
const capture = readFileSync(new URL("../fixtures/captures/0.22.1-mixed.bin", import.meta.url));
const GREETING_BYTES = 7;
const MESSAGES = 34;
const counts = { passed: 0, failed: 0 };

function check(what: string, ok: boolean, figure: string): void {
  if (ok) counts.passed++;
  else counts.failed++;
  console.log(`${ok ? "ok    " : "FAILED"} ${what}: ${figure}`);
}

/** What an SDK sent, again and again, as fast as it is taken. */
async function burst(port: number, rounds: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.resume().write(capture.subarray(0, GREETING_BYTES));
  const again = capture.subarray(GREETING_BYTES);
  for (let i = 0; i < rounds; i++) {
    if (socket.write(again)) continue;
    await new Promise((resolve) => socket.once("drain", resolve));
  }
  socket.end();
  await closed;
}

async function run(runtime: Runtime, megabytes: number, rates: readonly number[]): Promise<void> {
  await using cli = await Cli.start(runtime, [
    ...["--serve-web", "--ws-server-port", "0", "--web-viewer-port", "0"],
    ...["--server-memory-limit", `${LIMIT_BYTES}B`],
  ]);
  const [, socket] = await cli.child.waitFor(/WebSocket server at ws:\/\/\S+:(\d+)\./, 10_000);
  const [, page] = await cli.child.waitFor(/web viewer at http:\/\/\S+:(\d+)\//, 10_000);
  const hub = async () => (await (await fetch(`http://127.0.0.1:${page}/status`)).json()).hub;
  const links = await Promise.all(
    rates.map((rate) => SlowLink.open(Number(socket), { bytesPerSec: rate * 1e6, delayMs: 20 })),
  );
  const viewers = links.map(({ port }) => new CountingViewer(port));
  while ((await hub()).viewers.length < rates.length) await new Promise((r) => setTimeout(r, 50));
  let peak = 0;
  const watch = setInterval(() => peak = Math.max(peak, residentBytes(cli.child.pid!)), 100);
  const started = performance.now();
  const rounds = Math.ceil(megabytes * 1e6 / capture.length);
  const messages = rounds * MESSAGES;
  await burst(cli.port, rounds);
  const sentSec = (performance.now() - started) / 1000;
  const slowestMs = megabytes * 1e3 / Math.min(...rates);
  const got = await Promise.allSettled(
    viewers.map((viewer) => viewer.received(messages, 2 * slowestMs + 20_000)),
  );
  const tookSec = (performance.now() - started) / 1000;
  clearInterval(watch);
  const { gone, viewers: stats, history } = await hub();
  const of = viewers.map(({ messages }) => messages).join(", ");
  check(
    `${runtime}: viewers at ${rates.join(", ")} MB/s got all of ${megabytes} MB`,
    got.every(({ status }) => status === "fulfilled"),
    `${of} messages in ${tookSec.toFixed(1)} s, sent in ${sentSec.toFixed(1)} s`,
  );
  check(`${runtime}: none was cut off`, gone.stalled + gone.failed === 0, JSON.stringify(gone));
  const skipped = stats.map(({ skipped }: { skipped: { messages: number } }) => skipped.messages);
  check(
    `${runtime}: none skipped`,
    skipped.every((count: number) => count === 0),
    `${skipped.join(", ")} messages, ${history.evicted.messages} dropped from history`,
  );
  check(
    `${runtime}: memory within limit + 150 MiB`,
    peak < LIMIT_BYTES + SLACK_BYTES,
    `${(peak / MiB).toFixed(0)} MiB`,
  );
  for (const link of links) link.close();
}

const args = parseArgs(process.argv.slice(2), { string: ["runtimes", "megabytes", "rates"] });
const given = (name: string, otherwise: string) => String(args[name] ?? otherwise);
const rates = given("rates", "10,30,100").split(",").map(Number);
for (const runtime of given("runtimes", "deno,bun").split(",") as Runtime[]) {
  await run(runtime, Number(given("megabytes", "500")), rates);
}
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exit(counts.failed === 0 ? 0 : 1);
