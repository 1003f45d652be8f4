/**
 * Thousands of recordings on the disk, saved and given, asked for from outside: how fast they are listed,
 * whether that slows who logs and looks, and that no name leads out of the folders.
 *
 * `deno run -A tests/soak/shelf.ts [--runtimes deno,bun] [--files 3000]`
 *
 * Ends with a line `N passed, N failed`.
 */
import { connect } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "@std/cli";
import { Cli, type Runtime } from "../conformance/cli_process.ts";
import { concat, HELLO } from "../encoding/rrd_builder.ts";
import { type Ports, portsOf } from "./door_readers.ts";
import { type Must, sleep } from "./host.ts";
import { LinkedViewer, percentile } from "./linked_viewer.ts";
import { residentBytes } from "./resident.ts";
import { RobotPackets } from "./robot_packets.ts";
import { attack, removal, replaced } from "./shelf_attacks.ts";
import { Disk, HOSTILE_IDS, saveAll } from "./shelf_disk.ts";

const MiB = 2 ** 20;
const LIMIT_BYTES = 64 * MiB;
/**
 * Lists that were given are garbage, which is collected when there is enough of it: asked for all the
 * time, a server goes from 150 MiB to 310 in 8 s and to 360 in 12, and stays there.
 */
const SLACK_BYTES = 384 * MiB;
const TOKEN = "secret-token";
const LISTED_MS = 60_000;
const TIMES = 10;
const LIST_MS = 1000;
const LOOK_MS = 4000;
const ASKS_AT_ONCE = 4;
const LATE_MS = 500;

interface Listed {
  readonly name: string;
  readonly state: string;
  readonly url: string;
}

/** Asks for a path with the token; where there is none it does no harm. */
type Get = (path: string, headers?: Record<string, string>) => Promise<Response>;

/** Lists what is on a disk, asks for it, and tries to get out of its folders. */
export async function shelf(runtime: Runtime, files: number, must: Must): Promise<void> {
  using disk = new Disk(files);
  const name = nameOf(runtime, files);
  const ids = idsOf(files);
  await fill(runtime, disk, ids);
  await using cli = await serve(runtime, disk, ["--allow-delete"], { RERELAY_VIEWER_TOKEN: TOKEN });
  const { http: port } = await portsOf(cli);
  const get = getFrom(port);
  const listed = await listAll(disk.givenFiles + ids.length, get, name, must);
  const names = new Set(listed.map(({ name }) => name));
  const links = Array.from(names).filter((name) => /^link|^folder link|^pipe/.test(name));
  must(links.length === 0, `${name}: links and pipes are not listed ${links}`);
  const wrong: string[] = [];
  for (const { url } of listed.filter(({ name }) => !/^(saved-|day )/.test(name))) {
    const { status, body } = await get(url);
    await body?.cancel();
    if (status !== 200) wrong.push(`${url}: ${status}`);
  }
  must(wrong.length === 0, `${name}: strange names are given as they are listed ${wrong}`);
  await ranges(name, listed, get, must);
  const shown = { name, port, token: TOKEN, disk, names, must };
  await attack(shown);
  await replaced(shown);
  await removal(shown);
  must((await get("files?limit=1")).status === 200, `${name}: it still answers`);
  await cli.stop();
}

/** Lists what is on a disk again and again while a robot logs. */
async function shelfSpeed(runtime: Runtime, files: number, must: Must): Promise<void> {
  using disk = new Disk(files);
  const name = nameOf(runtime, files);
  const ids = idsOf(files);
  await fill(runtime, disk, ids);
  await using cli = await serve(runtime, disk, [], {});
  const ports = await portsOf(cli);
  const get = getFrom(ports.http);
  await listAll(disk.givenFiles + ids.length, get, name, must);
  await speed(name, { ...ports, sdk: cli.port }, get, must);
  const memory = residentBytes(cli.child.pid!);
  must(memory < LIMIT_BYTES + SLACK_BYTES, `${name}: memory ${(memory / MiB).toFixed(0)} MiB`);
  await cli.stop();
}

const nameOf = (runtime: Runtime, files: number) =>
  `${runtime}, ${files} files saved and ${files} given`;

const idsOf = (files: number) => [
  ...Array.from({ length: files }, (_, i) => `saved-${i}`),
  ...HOSTILE_IDS,
];

function serve(
  runtime: Runtime,
  { given, saved }: Disk,
  more: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Cli> {
  return Cli.start(runtime, [
    ...[given, "--serve-web", "--ws-server-port", "0", "--web-viewer-port", "0"],
    ...["--save", join(saved, "{recording_id}.rrd")],
    ...["--server-memory-limit", `${LIMIT_BYTES}B`, ...more],
  ], { env });
}

/** Has recordings saved by a server of its own, which closes the files as it ends. */
async function fill(runtime: Runtime, disk: Disk, ids: readonly string[]): Promise<void> {
  await using cli = await serve(runtime, disk, [], {});
  const { http: port } = await portsOf(cli);
  await saveAll(cli.port, ids);
  await listUntil(getFrom(port), ({ length }) => length === disk.givenFiles + ids.length);
  await cli.stop();
}

/** Lists all that there is. */
async function listAll(
  all: number,
  get: Get,
  name: string,
  must: Must,
): Promise<readonly Listed[]> {
  const closedOf = (listed: readonly Listed[]) =>
    listed.filter(({ state }) => state === "closed").length;
  const listed = await listUntil(get, (listed) => closedOf(listed) >= all);
  const closed = closedOf(listed);
  must(
    listed.length === all && closed === all,
    `${name}: ${listed.length} of ${all} are listed, ${closed} of them closed`,
  );
  return listed;
}

/** Lists again and again until the list is as it is to be, but not for ever. */
async function listUntil(
  get: Get,
  isWanted: (listed: readonly Listed[]) => boolean,
): Promise<readonly Listed[]> {
  const deadline = performance.now() + LISTED_MS;
  while (true) {
    const listed = await (await get("files?limit=99999")).json() as Listed[];
    if (isWanted(listed) || performance.now() > deadline) return listed;
    await sleep(100);
  }
}

function getFrom(port: number): Get {
  return (path, headers = {}) =>
    fetch(`http://127.0.0.1:${port}/${path}`, {
      headers: { authorization: `Bearer ${TOKEN}`, ...headers },
    });
}

/** How fast the list is there, and who notices. */
async function speed(
  name: string,
  ports: Ports & { readonly sdk: number },
  get: Get,
  must: Must,
): Promise<void> {
  const takes = async (query: string) => {
    const took: number[] = [];
    for (let i = 0; i < TIMES; i++) {
      const since = performance.now();
      await (await get(`files${query}`)).arrayBuffer();
      took.push(performance.now() - since);
    }
    return percentile(took, 0.5);
  };
  const [first, all] = [await takes("?limit=200"), await takes("?limit=99999")];
  const search = await takes("?limit=200&search=saved-77&sort=largest");
  must(
    Math.max(first, all, search) < LIST_MS,
    `${name}: the newest 200 take ${first.toFixed(0)} ms, all ${all.toFixed(0)} ms, a search ` +
      `${search.toFixed(0)} ms (median of ${TIMES})`,
  );
  const alone = await agesOf(ports, "alone", LOOK_MS);
  let [isAsking, asked] = [true, 0];
  const askers = Array.from({ length: ASKS_AT_ONCE }, async () => {
    while (isAsking) {
      await (await get("files?limit=200")).arrayBuffer();
      asked++;
    }
  });
  const beside = await agesOf(ports, "beside", LOOK_MS);
  isAsking = false;
  await Promise.all(askers);
  const told = (ages: readonly number[]) =>
    `${percentile(ages, 0.5)} ms (median), ${percentile(ages, 0.99)} ms (p99)`;
  must(
    beside.length > 100 && percentile(beside, 0.99) < LATE_MS,
    `${name}: scalars are ${told(alone)} old at a viewer, and ${told(beside)} while ` +
      `${ASKS_AT_ONCE} ask for the list all the time, ${asked} times in ${LOOK_MS / 1000} s`,
  );
}

/** How old scalars are at a viewer, logged about a hundred times a second, in milliseconds. */
async function agesOf(
  ports: Ports & { readonly sdk: number },
  recording: string,
  ms: number,
): Promise<readonly number[]> {
  const link = { port: ports.websocket, serverPorts: [] };
  const viewer = new LinkedViewer({ name: "viewer", bytesPerSec: Infinity }, "websocket", link);
  const viewers = async () => {
    const status = await fetch(`http://127.0.0.1:${ports.http}/status`);
    return (await status.json()).hub.viewers.length;
  };
  const joined = performance.now() + LISTED_MS;
  while (await viewers() === 0) {
    if (performance.now() > joined) throw new Error("no viewer has joined");
    await sleep(20);
  }
  const packets = new RobotPackets(recording, { picture: 100, points: 100 });
  const socket = connect(ports.sdk, "127.0.0.1");
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.resume().write(HELLO);
  socket.write(packets.info());
  const until = performance.now() + ms;
  let logged = 0;
  while (performance.now() < until) {
    socket.write(packets.packet("S", 100_000 + logged, Date.now()));
    logged++;
    await sleep(10);
  }
  socket.end();
  await closed;
  const deadline = performance.now() + 5000;
  while (viewer.scalars.size < logged && performance.now() < deadline) await sleep(20);
  viewer.close();
  // What came before is history.
  return viewer.scalarAges.slice(-logged);
}

/** Parts of a file. */
async function ranges(
  name: string,
  listed: readonly Listed[],
  get: Get,
  must: Must,
): Promise<void> {
  const { url } = listed.find(({ name }) => name === "day 0/run 0.rrd")!;
  const response = await get(url);
  const etag = response.headers.get("etag")!;
  const whole = new Uint8Array(await response.arrayBuffer());
  const size = whole.length;
  const many = "9".repeat(400);
  const cases: [string, number, number, number][] = [
    ["bytes=0-3", 206, 0, 4],
    ["bytes=4-", 206, 4, size],
    ["bytes=-5", 206, size - 5, size],
    [`bytes=0-${many}`, 206, 0, size],
    [`bytes=-${many}`, 206, 0, size],
    [`bytes=${size - 1}-${size - 1}`, 206, size - 1, size],
    [`bytes=${size}-`, 416, 0, 0],
    [`bytes=${many}-`, 416, 0, 0],
    ["bytes=-0", 416, 0, 0],
    ["bytes=5-4", 200, 0, size],
    ["bytes=0-1,3-4", 200, 0, size],
    ["bytes=a-b", 200, 0, size],
    ["pages=0-1", 200, 0, size],
  ];
  const wrong: string[] = [];
  for (const [range, status, start, end] of cases) {
    const part = await get(url, { range });
    const bytes = new Uint8Array(await part.arrayBuffer());
    const isRight = status === 416 || bytes.join() === whole.slice(start, end).join();
    if (part.status !== status || !isRight) wrong.push(`${range.slice(0, 40)}: ${part.status}`);
  }
  must(wrong.length === 0, `${name}: ${cases.length} ranges ${wrong.join(", ")}`);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < size; at += 7) {
    const part = await get(url, { range: `bytes=${at}-${at + 6}`, "if-range": etag });
    parts.push(new Uint8Array(await part.arrayBuffer()));
  }
  must(concat(...parts).join() === whole.join(), `${name}: parts make the whole`);
  const other = await get(url, { range: "bytes=0-3", "if-range": '"another"' });
  must((await other.arrayBuffer()).byteLength === size, `${name}: of another version, all of it`);
  const unchanged = await get(url, { "if-none-match": etag });
  must(unchanged.status === 304, `${name}: what is unchanged is not sent again`);
}

if (import.meta.main) {
  const args = parseArgs(process.argv.slice(2), { string: ["runtimes", "files"] });
  const files = Number(args["files"] ?? 3000);
  const counts = { passed: 0, failed: 0 };
  const must: Must = (ok, what) => {
    if (ok) counts.passed++;
    else counts.failed++;
    console.log(`${ok ? "ok    " : "FAILED"} ${what}`);
  };
  for (const runtime of String(args["runtimes"] ?? "deno,bun").split(",") as Runtime[]) {
    try {
      await shelf(runtime, files, must);
      await shelfSpeed(runtime, files, must);
    } catch (error) {
      must(false, `${runtime}: ${(error as Error).stack}`);
    }
  }
  console.log(`${counts.passed} passed, ${counts.failed} failed`);
  process.exit(counts.failed === 0 ? 0 : 1);
}
