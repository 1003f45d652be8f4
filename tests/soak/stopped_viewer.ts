/**
 * One viewer stops reading while a real SDK logs a camera: what the SDK and the other viewers notice, with
 * Rerelay and with Rerun's own server of today.
 *
 * `deno run -A tests/soak/stopped_viewer.ts [--servers deno,bun,rerun]`
 */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "@std/cli";
import { Child, run } from "../conformance/child.ts";
import { Cli, type Runtime } from "../conformance/cli_process.ts";
import { findPython } from "../conformance/python.ts";
import { cacheFolder, type Sdk, SdkCache } from "../conformance/sdk_cache.ts";
import { readDoor } from "./door_readers.ts";
import { SlowLink } from "./slow_link.ts";
import { freePort } from "../free_ports.ts";

const SDK = "0.41.0";
const ROBOT = fileURLToPath(new URL("robot.py", import.meta.url));
const STOPS_AFTER_SEC = 5;
/** After the stop, in seconds: when it must have been noticed, and once what queues hold is used up. */
const SPANS = [
  { name: "soon", from: 15, to: 30 },
  { name: "later", from: 45, to: 74 },
];
const SECONDS = STOPS_AFTER_SEC + Math.max(...SPANS.map(({ to }) => to)) + 1;
const LINKS = [
  { name: "100 MB/s", bytesPerSec: 100e6 },
  { name: "10 MB/s", bytesPerSec: 10e6 },
  { name: "stops", bytesPerSec: 100e6, stopsAfterMs: STOPS_AFTER_SEC * 1000 },
];

const sleep = (sec: number) => new Promise((resolve) => setTimeout(resolve, sec * 1000));

/** A server that listens. */
interface Server extends AsyncDisposable {
  readonly port: number;
}

async function rerelay(runtime: Runtime): Promise<Server> {
  return await Cli.start(runtime, [
    ...["--serve-web", "--ws-server-port", "0", "--web-viewer-port", "0"],
    ...["--server-memory-limit", "256MiB", "--viewer-latency", "2s"],
  ]);
}

async function rerun({ rerun, env }: Sdk): Promise<Server> {
  await run([...rerun, "analytics", "disable"], { ms: 20_000, env });
  const port = await freePort();
  const at = ["--bind", "127.0.0.1", "--port", String(port)];
  const child = new Child([...rerun, "--serve-grpc", ...at, "--server-memory-limit", "256MiB"], {
    env,
  });
  await sleep(3);
  return { port, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() };
}

async function watch(name: string, port: number, { python, env }: Sdk): Promise<void> {
  const links = await Promise.all(LINKS.map((link) => SlowLink.open(port, link)));
  const begun = performance.now();
  const until = (sec: number) => sleep(STOPS_AFTER_SEC + sec - (performance.now() - begun) / 1000);
  const bytes = links.map(() => 0);
  const readers = links.map((link, i) =>
    readDoor("grpc", link.port, (piece) => void (bytes[i]! += piece.length))
  );
  const robot = new Child([python, ROBOT, String(port), String(SECONDS)], { env });
  let frames = 0;
  const look = setInterval(() => {
    frames = Number(robot.stderr.match(/frame (\d+)\s*$/)?.[1] ?? frames);
  }, 100);
  for (const { name: when, from, to } of SPANS) {
    await until(from);
    const [before, framesBefore] = [[...bytes], frames];
    await until(to);
    const rates = LINKS.map(({ name }, i) =>
      `${name}: ${((bytes[i]! - before[i]!) / (to - from) / 1e6).toFixed(1)} MB/s`
    );
    console.log(
      `${name}, ${when} (${from} to ${to} s after one viewer stopped): the SDK logs ` +
        `${((frames - framesBefore) / (to - from)).toFixed(1)} frames a second; ` +
        `viewers get ${rates.join(", ")}`,
    );
  }
  clearInterval(look);
  for (const reader of readers) reader.close();
  for (const link of links) link.close();
  robot.kill("SIGKILL");
  await robot.ended;
}

const args = parseArgs(process.argv.slice(2), { string: ["servers"] });
const sdk = await new SdkCache(cacheFolder(), await findPython()).get(SDK);
for (const name of String(args["servers"] ?? "deno,bun,rerun").split(",")) {
  await using server = name === "rerun" ? await rerun(sdk) : await rerelay(name as Runtime);
  await watch(name === "rerun" ? `Rerun ${SDK}` : `Rerelay on ${name}`, server.port, sdk);
}
process.exit(0);
