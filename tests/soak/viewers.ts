/**
 * Many viewers of the real command line, some of which stall: what the others get, and what it costs.
 *
 * `deno run -A tests/soak/viewers.ts [--runtimes deno,bun] [--seconds 20] [--rate 10] [--viewers 50]`
 *
 * `--rate` is in MB/s, 0 is as fast as the server takes it. Ends with a line `N passed, N failed`.
 */
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import process from "node:process";
import { parseArgs } from "@std/cli";
import { Child, within } from "../conformance/child.ts";
import { Cli, type Runtime } from "../conformance/cli_process.ts";
import { episodes, verdicts } from "./episodes.ts";
import { sleep } from "./host.ts";
import { residentBytes } from "./resident.ts";
import { robotLinks } from "./robot_links.ts";
import { CountingViewer } from "./viewer_clients.ts";
import { Wakes } from "./wakes.ts";

const MiB = 2 ** 20;
const HISTORY_BYTES = 64 * MiB;
const SLACK_BYTES = 150 * MiB;
const IDLE_PEERS = 2000;
const DIALED_AT_ONCE = 100;

/** Fifty viewers ask for more than one core has; the others run in processes of their own. */
const capture = readFileSync(new URL("../fixtures/captures/0.22.1-mixed.bin", import.meta.url));
const GREETING_BYTES = 7;
const MESSAGES = 34;

interface Options {
  readonly seconds: number;
  readonly rate: number;
  readonly viewers: number;
}

/** Other programs of the machine may take a core for seconds: a part that fails is run once more. */
const ATTEMPTS = 2;

const counts = { passed: 0, failed: 0 };

function check(what: string, ok: boolean, figure: string): void {
  if (ok) counts.passed++;
  else counts.failed++;
  console.log(`${ok ? "ok    " : "FAILED"} ${what}: ${figure}`);
}

async function start(runtime: Runtime): Promise<{ cli: Cli; socket: number; page: number }> {
  const cli = await Cli.start(runtime, [
    ...["--serve-web", "--ws-server-port", "0", "--web-viewer-port", "0"],
    ...["--server-memory-limit", `${HISTORY_BYTES}B`],
  ]);
  const [, socket] = await cli.child.waitFor(/WebSocket server at ws:\/\/\S+:(\d+)\./, 10_000);
  const [, page] = await cli.child.waitFor(/web viewer at http:\/\/\S+:(\d+)\//, 10_000);
  return { cli, socket: Number(socket), page: Number(page) };
}

// ----------------------------------------------------------------------------------- idle peers

/** Silent peers on the WebSocket port, and how soon a new viewer gets its first message. */
async function idlePeers(runtime: Runtime): Promise<void> {
  const { cli, socket } = await start(runtime);
  await using _ = cli;
  await send(cli.port, [capture]);
  const alone = await joins(socket, 20);
  const started = performance.now();
  const peers: Awaited<ReturnType<typeof dial>>[] = [];
  // Some at a time: the system drops connects that it has no room for, and never tells the server.
  while (peers.length < IDLE_PEERS) {
    peers.push(...await Promise.all(Array.from({ length: DIALED_AT_ONCE }, () => dial(socket))));
  }
  const wakes = new Wakes();
  const crowded = await joins(socket, 20);
  wakes.stop();
  const more = crowded.max - alone.median - wakes.latestMs;
  check(
    `${runtime}: ${IDLE_PEERS} idle peers delay a new viewer by less than 100 ms`,
    more < 100,
    `first message after ${ms(crowded.median)}, at worst ${ms(crowded.max)}; ` +
      `${ms(alone.median)} without them; this script woke ${ms(wakes.latestMs)} late at most`,
  );
  await within(20_000, "idle peers to be closed", Promise.all(peers.map(({ closed }) => closed)));
  const waited = (performance.now() - started) / 1000;
  check(
    `${runtime}: idle peers are closed`,
    waited > 8 && waited < 15,
    `after ${waited.toFixed(1)} s`,
  );
  await cli.stop();
}

async function joins(port: number, count: number) {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const viewer = new CountingViewer(port);
    await viewer.received(MESSAGES, 10_000);
    times.push(viewer.firstMs!);
    viewer.socket.destroy();
    await viewer.closed;
  }
  times.sort((a, b) => a - b);
  return { median: times[count >> 1]!, max: times.at(-1)! };
}

function dial(port: number): Promise<{ socket: Socket; closed: Promise<void> }> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => {
      const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
      socket.resume();
      resolve({ socket, closed });
    });
    socket.on("error", reject);
  });
}

// ----------------------------------------------------------------------------------------- load

async function load(runtime: Runtime, { seconds, rate, viewers }: Options): Promise<void> {
  const { cli, socket, page } = await start(runtime);
  await using _ = cli;
  const bad = Math.max(1, Math.floor(viewers / 10));
  // The sender and the good viewers share one core with nobody but each other.
  const good = new Child([
    process.execPath,
    ...("Deno" in globalThis ? ["run", "-A", "--no-check"] : []),
    new URL("viewers_child.ts", import.meta.url).pathname,
    String(socket),
    String(viewers - 2 * bad),
  ]);
  await using __ = good;
  await good.waitFor(/^ready/m, 20_000);
  const stalled = Array.from(
    { length: 2 * bad },
    (_, i) => new CountingViewer(socket, i < bad ? "nothing" : "a byte a second"),
  );
  let peak = 0;
  const watch = setInterval(() => peak = Math.max(peak, residentBytes(cli.child.pid!)), 100);
  const hubNow = async () => (await (await fetch(`http://127.0.0.1:${page}/status`)).json()).hub;
  const started = performance.now();
  const wakes = new Wakes();
  let goneAfter = Infinity;
  const look = setInterval(async () => {
    // A connection that is kept may be closed in the very moment it is used again.
    const hub = await hubNow().catch(() => undefined);
    if (hub === undefined) return;
    const { gone } = hub;
    if (gone.stalled >= stalled.length) {
      goneAfter = Math.min(goneAfter, (performance.now() - started) / 1000);
    }
  }, 250);
  const sent = await stream(cli.port, seconds, rate);
  const sending = (performance.now() - started) / 1000;
  good.kill("SIGTERM"); // asks for its figures
  const [, figures] = await good.waitFor(/^figures (.*)$/m, 60_000);
  wakes.stop();
  const { counts: received, gaps, gapsAt, others, closed } = JSON.parse(figures!);
  const status = await (await fetch(`http://127.0.0.1:${page}/status`)).json();
  clearInterval(watch);
  clearInterval(look);
  const megabytes = sent * capture.length / 1e6;
  const name = `${runtime}, ${rate || "full"} MB/s`;
  console.log(
    `      ${name}: ${megabytes.toFixed(0)} MB, ${sent * MESSAGES} messages in ` +
      `${sending.toFixed(1)} s (${(megabytes / sending).toFixed(0)} MB/s)`,
  );
  check(`${name}: the server took all`, status.messages === sent * MESSAGES, `${status.messages}`);
  const least = Math.min(...received);
  check(
    `${name}: ${received.length} viewers got everything`,
    least === sent * MESSAGES && closed === 0,
    `${least} to ${Math.max(...received)} of ${sent * MESSAGES}, ${closed} cut off`,
  );
  const gap = Math.max(...gaps);
  const gapAt = gapsAt[gaps.indexOf(gap)] / 1000;
  check(
    `${name}: no gap above 1 s`,
    gap < 1000 + wakes.latestMs,
    `at most ${ms(gap)}, after ${gapAt.toFixed(1)} s; this script woke ${
      ms(wakes.latestMs)
    } late at most`,
  );
  check(`${name}: nothing but messages`, others === 0, `${others} other frames`);
  const bound = HISTORY_BYTES + SLACK_BYTES;
  check(
    `${name}: memory within limit + 150 MiB`,
    peak < bound,
    `${(peak / MiB).toFixed(0)} MiB of ${bound / MiB}`,
  );
  const { gone } = status.hub;
  check(
    `${name}: those who stall are gone within 15 s`,
    goneAfter < 15,
    `after ${goneAfter.toFixed(1)} s; ${gone.stalled} stalled`,
  );
  for (const { socket } of stalled) socket.destroy();
  await cli.stop();
}

/** Sends the capture again and again; resolves to how often, once the server has read it. */
async function stream(port: number, seconds: number, rate: number): Promise<number> {
  const again = capture.subarray(GREETING_BYTES);
  let count = 0;
  const started = performance.now();
  const end = started + seconds * 1000;
  await send(
    port,
    (async function* () {
      yield capture.subarray(0, GREETING_BYTES);
      while (performance.now() < end) {
        yield again;
        count++;
        const ahead = count * again.length / (rate * 1e6) * 1000 - (performance.now() - started);
        if (rate > 0 && ahead > 2) await sleep(ahead);
      }
    })(),
  );
  return count;
}

async function send(port: number, pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>) {
  const { socket, closed } = await dial(port);
  for await (const piece of pieces) {
    if (!socket.write(piece)) await new Promise((resolve) => socket.once("drain", resolve));
  }
  socket.end();
  await closed;
}

// -------------------------------------------------------------------------------------- silence

/** Sixty seconds without a message: connections stay, and nothing comes. */
async function silence(runtime: Runtime): Promise<void> {
  const { cli, socket, page } = await start(runtime);
  await using _ = cli;
  await send(cli.port, [capture]);
  const viewer = new CountingViewer(socket);
  await viewer.received(MESSAGES, 10_000);
  const { bytes } = viewer;
  const body = (await fetch(`http://127.0.0.1:${page}/stream.rrd`)).body!.getReader();
  let streamed = 0;
  let ended = false;
  const reading = (async () => {
    for (;;) {
      const { done, value } = await body.read();
      if (done) break;
      streamed += value.length;
    }
    ended = true;
  })();
  reading.catch(() => ended = true);
  await sleep(1000);
  const before = streamed;
  await sleep(60_000);
  const quiet = viewer.bytes === bytes && viewer.closedAt === undefined && viewer.others === 0;
  check(
    `${runtime}: a WebSocket is open and still after 60 s`,
    quiet,
    `${viewer.bytes - bytes} bytes came`,
  );
  check(
    `${runtime}: a stream is open after 60 s`,
    !ended && streamed === before,
    `${streamed - before} bytes came`,
  );
  await send(cli.port, [capture]);
  await viewer.received(2 * MESSAGES, 5000);
  while (streamed === before && !ended) await sleep(10);
  check(`${runtime}: both go on then`, streamed > before, `${viewer.messages} messages`);
  await cli.stop();
}

// ------------------------------------------------------------------------------------- episodes

/** Two hundred recordings with a blueprint each; `episodes.ts` has two thousand. */
async function shortEpisodes(runtime: Runtime): Promise<void> {
  for (const verdict of verdicts(runtime, await episodes(runtime, 200))) check(...verdict);
}

// ---------------------------------------------------------------------------------------- links

/** Half a minute through one door; `robot_links.ts` goes through all, for five minutes. */
async function links(runtime: Runtime): Promise<void> {
  await robotLinks(runtime, "websocket", 30, (ok, what) => check(what, ok, "links"));
}

function ms(time: number): string {
  return `${time.toFixed(1)} ms`;
}

const args = parseArgs(process.argv.slice(2), {
  string: ["runtimes", "seconds", "rate", "viewers", "only"],
});
const options = {
  seconds: Number(args.seconds ?? 20),
  rate: Number(args.rate ?? 10),
  viewers: Number(args.viewers ?? 50),
};
const wanted = (part: string) => args.only === undefined || args.only === part;
for (const runtime of String(args.runtimes ?? "deno,bun").split(",") as Runtime[]) {
  const parts = [
    ...(wanted("idle") ? [() => idlePeers(runtime)] : []),
    ...(wanted("load") ? [() => load(runtime, options)] : []),
    ...(wanted("links") ? [() => links(runtime)] : []),
    ...(wanted("episodes") ? [() => shortEpisodes(runtime)] : []),
  ];
  const still = wanted("silence") ? silence(runtime) : Promise.resolve();
  still.catch(() => {});
  for (const part of [...parts, () => still]) {
    for (let attempt = 1;; attempt++) {
      const { passed, failed } = counts;
      await part().catch((error) => check(runtime, false, error.message));
      if (counts.failed === failed || attempt === ATTEMPTS) break;
      console.log(`       ${runtime}: once more`);
      Object.assign(counts, { passed, failed });
    }
  }
}
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exit(counts.failed === 0 ? 0 : 1);
