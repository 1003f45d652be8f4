/**
 * SDKs that speak gRPC: what they log is saved as they sent it, and read back by the CLIs of real Rerun.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Child, describeEnd, run, within } from "./child.ts";
import { Cli, type Runtime } from "./cli_process.ts";
import { checkSame, cutCalls, cutProtobufFile } from "./grpc_cutter.ts";
import { recordedBytes, RecordingProxy } from "./proxy.ts";
import type { Passed } from "./scenarios.ts";
import type { Sdk } from "./sdk_cache.ts";
import { freePorts } from "../free_ports.ts";
import { given } from "./viewers.ts";

/** SDKs that log by gRPC. */
export const GRPC_VERSIONS = ["0.23.4", "0.24.1", "0.28.2", "0.31.4", "0.36.2", "0.41.0"];
/** Native viewers that read all of them. */
const READERS = ["0.36.2", "0.41.0"];

const STEPS = 60;
/** How long an SDK may take to log and to end, Rerun's CLI to start and to print, in milliseconds. */
const SDK_MS = 60_000;

const SERVE = ["--serve-grpc", "--ws-server-port", "0", "--web-viewer-port", "0"];
const WORKLOAD = fileURLToPath(new URL("grpc_workload.py", import.meta.url));

/**
 * Starts an SDK that logs by gRPC.
 *
 * @param pauseSec between two frames
 */
export function grpcWorkload(
  sdk: Sdk,
  port: number,
  steps: number,
  recording: string,
  pauseSec = 0,
): string[] {
  return [sdk.python, WORKLOAD, String(port), String(steps), recording, String(pauseSec)];
}

/** What SDKs say when something went wrong, for which they exit with 0 all the same. */
export function checkSilent(sdk: Sdk, stderr: string): void {
  if (stderr.trim() !== "") throw new Error(`SDK ${sdk.version} says: ${stderr.slice(0, 400)}`);
}

/**
 * Lets an SDK log to the command line, and Rerun's CLIs read it.
 *
 * @param folder for its files
 * @param get other SDKs
 * @throws if anything is not as it must be
 */
export async function playGrpc(
  sdk: Sdk,
  runtime: Runtime,
  folder: string,
  get: (version: string) => Promise<Sdk>,
): Promise<Passed> {
  await mkdir(folder, { recursive: true });
  const saved = join(folder, "saved.rrd");
  const readers = await Promise.all(READERS.map(get));
  await using cli = await Cli.start(runtime, ["--save", saved, ...SERVE]);
  await using proxy = await RecordingProxy.start(cli.port);
  try {
    const options = { ms: SDK_MS, env: sdk.env };
    const ended = await run(grpcWorkload(sdk, proxy.port, STEPS, "rec"), options);
    checkSilent(sdk, ended.stderr);
    await proxy.finish(1);
    await using children = new AsyncDisposableStack();
    const paths = readers.map(({ version }) => join(folder, `read-${version}.rrd`));
    const readings = await Promise.all(
      readers.map((reader, i) => readBack(reader, cli, paths[i]!)),
    );
    for (const reading of readings) children.use(reading);
    await given(cli, readers.length);
    await cli.stop();
    // Their stream ends well, so that they do by themselves.
    await Promise.all(readings.map(ends));
    const [complaint] = cli.complaints([]);
    if (complaint) throw new Error(`the CLI says: ${complaint}`);
    const [recording] = proxy.recordings;
    const [call, another] = cutCalls(recordedBytes(recording!));
    if (call === undefined || another !== undefined) throw new Error("not one call was made");
    if (call.rest > 0 || !call.hasEnded) throw new Error("the SDK did not end its call");
    checkSame(cutProtobufFile(await readFile(saved)), call.messages);
    for (const [i, reader] of readers.entries()) await checkRead(reader, saved, paths[i]!);
    return { packets: call.messages.length, bytes: recording!.bytes };
  } catch (error) {
    await writeFile(join(folder, "cli.log"), cli.child.stderr);
    throw error;
  }
}

/** Lets Rerun's CLI write what it reads. */
async function readBack(reader: Sdk, cli: Cli, path: string): Promise<Child> {
  const [port] = await freePorts(1);
  const args = ["--bind", "127.0.0.1", "--port", String(port), "--save", path];
  const url = `rerun+http://127.0.0.1:${cli.port}/proxy`;
  return new Child([...reader.rerun, url, ...args], { env: { ...reader.env, RUST_LOG: "info" } });
}

async function ends(reader: Child): Promise<void> {
  const ended = await within(SDK_MS, "a reader to end", reader.ended);
  if (ended.code !== 0) throw new Error(`the reader ended with ${describeEnd(ended)}`);
  const complaint = /^.*\bERROR\b.*$/m.exec(ended.stderr);
  if (complaint) throw new Error(`Rerun's CLI says: ${complaint[0].slice(0, 400)}`);
}

/** What was read is what was saved, to the last value, as the CLI prints both. */
async function checkRead(reader: Sdk, saved: string, read: string): Promise<void> {
  const [ours, theirs] = [await printed(reader, saved), await printed(reader, read)];
  const at = ours.findIndex((line, i) => line !== theirs[i]);
  if (at >= 0 || ours.length !== theirs.length) {
    const lines = `${ours.length} and ${theirs.length} lines`;
    throw new Error(`${reader.version} read otherwise: ${lines}, ${ours[at]} : ${theirs[at]}`);
  }
}

/**
 * All that Rerun's CLI prints of a file but what it adds itself, sorted.
 *
 * @throws if it complains
 */
export async function printed(reader: Sdk, path: string): Promise<string[]> {
  const options = { ms: SDK_MS, env: { ...reader.env, RUST_LOG: "info" } };
  const outputs: string[] = [];
  for (const command of [["stats"], ["print", "-vvv"]]) {
    const { stdout, stderr } = await run([...reader.rerun, "rrd", ...command, path], options);
    const complaint = /^.*\bERROR\b.*$/m.exec(`${stderr}\n${stdout}`);
    if (complaint) throw new Error(`Rerun's CLI says: ${complaint[0].slice(0, 400)}`);
    outputs.push(stdout);
  }
  return outputs[1]!.replaceAll(/ \([\d.]+ (?:B|KiB|MiB)\)/g, "")
    .split("\n")
    .filter((line) => !/heap_size_bytes|timestamp_viewer_ipc|^\s*(minor|patch): /.test(line))
    // Tables are as wide as the widest of their lines.
    .map((line) => line.replaceAll(/[\u2500-\u257f\s]+/g, " ").trim())
    .filter((line) => line !== "")
    .sort();
}
