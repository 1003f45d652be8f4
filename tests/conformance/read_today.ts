/** What old SDKs log, read live by the CLI of today's Rerun while it comes, and once it is history. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Child, describeEnd, run, within } from "./child.ts";
import { Cli, type Runtime } from "./cli_process.ts";
import { checkNames, names, TODAY } from "./migrated.ts";
import { logWorkload, type Passed } from "./scenarios.ts";
import { freePorts } from "../free_ports.ts";
import { given } from "./viewers.ts";
import type { Sdk } from "./sdk_cache.ts";

const ARGS = ["--serve-web", "--ws-server-port", "0", "--web-viewer-port", "0"];
const JOBS = ["mixed", "blueprint"];
/** Messages that come while the first reader reads. */
const STEPS = 30;
const CLI_MS = 60_000;

/**
 * Lets a version's SDK log while today's CLI reads, and another one afterwards: both get all of it, by
 * today's names, and end well with the server.
 *
 * @param get another SDK
 * @throws if anything is not as it must be
 */
export async function playReadToday(
  sdk: Sdk,
  runtime: Runtime,
  folder: string,
  get: (version: string) => Promise<Sdk>,
): Promise<Passed> {
  const today = await get(TODAY);
  await mkdir(folder, { recursive: true });
  const saved = join(folder, "saved.rrd");
  const paths = ["early", "late"].map((name) => join(folder, `${name}.rrd`)) as [string, string];
  await using cli = await Cli.start(runtime, [...ARGS, "--save", saved, "--rrd-format", "current"]);
  await using early = await reader(today, cli.port, paths[0]);
  await given(cli, 1);
  for (const job of JOBS) await logWorkload(sdk, cli.port, job, STEPS, `rec-${job}`);
  await using late = await reader(today, cli.port, paths[1]);
  const { messages, bytes } = await given(cli, 2);
  await cli.stop();
  for (const child of [early, late]) {
    const ended = await within(CLI_MS, "the reader's end", child.ended);
    if (ended.code !== 0) throw new Error(`A reader of Rerun ${TODAY}: ${describeEnd(ended)}`);
  }
  const counts = await Promise.all([saved, ...paths].map((path) => chunksOf(today, path)));
  if (new Set(counts).size > 1) throw new Error(`chunks and rows are otherwise: ${counts}`);
  for (const path of paths) {
    await checkNames(today, path, names(JOBS));
    await run([...today.rerun, "rrd", "verify", path], { ms: CLI_MS, env: today.env });
  }
  return { packets: messages, bytes };
}

async function reader(today: Sdk, port: number, path: string): Promise<Child> {
  // It listens itself, whatever it reads.
  const [own] = await freePorts(1);
  const url = `rerun+http://127.0.0.1:${port}/proxy`;
  return new Child([...today.rerun, url, "--port", String(own), "--save", path], {
    env: today.env,
  });
}

/** How many chunks and rows a file has. */
async function chunksOf(today: Sdk, path: string): Promise<string> {
  const { stdout } = await run([...today.rerun, "rrd", "stats", path], {
    ms: CLI_MS,
    env: today.env,
  });
  const lines = stdout.split("\n").filter((line) => /^num_(chunks|rows) = /.test(line));
  if (lines.length !== 2) throw new Error(`Rerun ${TODAY} counts nothing in ${path}`);
  return lines.join(", ");
}
