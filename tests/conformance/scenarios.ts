/** What real SDKs do to the server, and what must come of it. */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkPrints, checkSaved } from "./checks.ts";
import { run } from "./child.ts";
import { Cli, type Runtime } from "./cli_process.ts";
import { cutConnection } from "./cutter.ts";
import { type ProxyOptions, recordedBytes, RecordingProxy } from "./proxy.ts";
import type { Sdk } from "./sdk_cache.ts";

/** How long an SDK may take to log and to end, in milliseconds. */
const SDK_MS = 60_000;

const WORKLOAD = fileURLToPath(new URL("workload.py", import.meta.url));

/** Warnings of the server that belong to a version, or to a broken connection. */
const OLD_PROTOCOL = /Client is using an old protocol version from before 0\.16\./;
const BROKEN = /left early: /;

/** A mode of `workload.py`, and its number of steps. */
type Job = readonly [mode: string, steps: number];

/** What SDKs do. */
export interface Scenario extends ProxyOptions {
  readonly name: string;
  /** Run one after the other, or at once. */
  readonly jobs: (version: string) => readonly Job[];
  readonly atOnce?: boolean;
  /** Connections that the SDKs make, and for the last of which they go on. */
  readonly connections?: number;
}

/** All scenarios. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: "all kinds",
    jobs: (version) => [
      ["mixed", 30],
      ...(Number(version.split(".")[1]) >= 15 ? [["blueprint", 8] as const] : []),
      ["timeonly", 10],
      ["large", 5],
    ],
  },
  { name: "two at once", jobs: () => [["mixed", 200], ["mixed", 200]], atOnce: true },
  { name: "reconnect", jobs: () => [["steady", 100]], breakAfter: 50_000, connections: 2 },
];

/** What passed in a scenario. */
export interface Passed {
  readonly packets: number;
  readonly bytes: number;
}

/**
 * Plays a scenario with one SDK against the command line, and checks what was saved.
 *
 * @param folder for its files; what was sent and said is left there if it fails
 * @throws if anything is not as it must be
 */
export async function play(
  scenario: Scenario,
  sdk: Sdk,
  runtime: Runtime,
  folder: string,
): Promise<Passed> {
  const output = join(folder, "output");
  await mkdir(output, { recursive: true });
  const saved = join(output, "saved.rrd");
  await using cli = await Cli.start(runtime, ["--save", saved]);
  await using proxy = await RecordingProxy.start(cli.port, scenario);
  try {
    const jobs = scenario.jobs(sdk.version);
    // A fast SDK would have sent all before a slow proxy has broken its connection.
    const until = join(folder, "connected");
    if (scenario.connections !== undefined) {
      proxy.begun(scenario.connections).then(() => writeFile(until, ""), () => {});
    }
    const goesOn = scenario.connections === undefined ? [] : [until];
    await logAll(jobs, sdk, proxy.port, scenario.atOnce ?? false, goesOn);
    await proxy.finish(scenario.connections ?? jobs.length);
    await cli.stop();
    return await check(scenario, sdk, proxy, cli, saved);
  } catch (error) {
    await writeFile(join(folder, "cli.log"), cli.child.stderr);
    for (const [number, recording] of proxy.recordings.entries()) {
      await writeFile(join(folder, `connection-${number}.bin`), recordedBytes(recording));
    }
    throw error;
  }
}

/**
 * Lets an SDK log.
 *
 * @param until a file for whose existence it goes on, if there is one
 */
export async function logWorkload(
  sdk: Sdk,
  port: number,
  mode: string,
  steps: number,
  recording: string,
  until: readonly string[] = [],
): Promise<void> {
  const args = [port, mode, steps, recording, ...until].map(String);
  await run([sdk.python, WORKLOAD, ...args], { ms: SDK_MS, env: sdk.env });
}

async function logAll(
  jobs: readonly Job[],
  sdk: Sdk,
  port: number,
  atOnce: boolean,
  until: readonly string[],
) {
  const log = async ([mode, steps]: Job, number: number) => {
    // The `compare` of the oldest CLI takes files with one recording only.
    const recording = sdk.printCommand === undefined ? "rec" : `rec-${mode}-${number}`;
    await logWorkload(sdk, port, mode, steps, recording, until);
  };
  if (atOnce) await Promise.all(jobs.map(log));
  else for (const [number, job] of jobs.entries()) await log(job, number);
}

async function check(
  scenario: Scenario,
  sdk: Sdk,
  proxy: RecordingProxy,
  cli: Cli,
  saved: string,
): Promise<Passed> {
  const connections = proxy.recordings.map((recording) => cutConnection(recordedBytes(recording)));
  for (const [number, { messages, rest }] of connections.entries()) {
    const broken = number === 0 && scenario.breakAfter !== undefined;
    if (messages.length === 0) throw new Error(`connection ${number} logged nothing`);
    if (rest > 0 && !broken) throw new Error(`connection ${number} ends inside a packet`);
  }
  const expected = scenario.breakAfter === undefined ? [OLD_PROTOCOL] : [OLD_PROTOCOL, BROKEN];
  const [complaint] = cli.complaints(expected);
  if (complaint) throw new Error(`the CLI says: ${complaint}`);
  // The index says whose the file is.
  const files = (await readdir(join(saved, ".."))).filter((name) => !name.endsWith(".index.jsonl"));
  if (files.length !== 1) throw new Error(`not one file was written but ${files.join(", ")}`);
  checkSaved(await readFile(saved), connections);
  const messages = connections.reduce((sum, { messages }) => sum + messages.length, 0);
  await checkPrints(sdk, saved, messages);
  return {
    packets: connections.reduce((sum, { packets }) => sum + packets, 0),
    bytes: proxy.recordings.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
