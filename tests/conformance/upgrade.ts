/** An upgrade while SDKs of both generations log: SIGUSR2, and the next server at the same port. */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkSaved } from "./checks.ts";
import { Child, describeEnd, run, within } from "./child.ts";
import { Cli, cliCommand, type Runtime } from "./cli_process.ts";
import { cutConnection, cutStream } from "./cutter.ts";
import { checkSilent, grpcWorkload } from "./grpc.ts";
import { checkSame, cutCalls, cutProtobufFile } from "./grpc_cutter.ts";
import { recordedBytes, RecordingProxy } from "./proxy.ts";
import type { Passed } from "./scenarios.ts";
import type { Sdk } from "./sdk_cache.ts";
import { freePorts } from "../free_ports.ts";

/** The SDK by TCP beside the one by gRPC that this is played with. */
const TCP_SDK = "0.22.1";

/**
 * Frames of those who are there before, a hundredth of a second apart, and of those who come behind. The
 * former go on until they are told: how fast each of them begins rests on the machine.
 */
const [EARLY_STEPS, LATE_STEPS] = [300, 60];
const PAUSE_SEC = 0.01;
/** Who logs has begun once so much came of it. */
const BEGUN_BYTES = 20_000;

const STEP_MS = 60_000;
const TCP_WORKLOAD = fileURLToPath(new URL("workload.py", import.meta.url));

/** A program that logs through a proxy that takes down what it sends. */
interface Logging {
  readonly name: string;
  readonly isGrpc: boolean;
  readonly proxy: RecordingProxy;
  readonly child: Child;
}

/**
 * Upgrades twice: with all the time that clients need, where nothing may be lost, and with less, where
 * what is lost must be told.
 *
 * @param sdk one that logs by gRPC
 * @param folder for the files; they are left there if it fails
 * @throws if anything is not as it must be
 */
export async function playUpgrade(
  sdk: Sdk,
  runtime: Runtime,
  folder: string,
  get: (version: string) => Promise<Sdk>,
): Promise<Passed> {
  const sdks = [await get(TCP_SDK), sdk];
  const whole = await upgrade(runtime, join(folder, "whole"), sdks, []);
  const cut = await upgrade(runtime, join(folder, "cut"), sdks, ["--drain", "1s"]);
  return { packets: whole.packets + cut.packets, bytes: whole.bytes + cut.bytes };
}

async function upgrade(
  runtime: Runtime,
  folder: string,
  sdks: readonly Sdk[],
  drain: readonly string[],
): Promise<Passed> {
  const output = join(folder, "output");
  await mkdir(output, { recursive: true });
  const [port] = await freePorts(1);
  const args = ["--save", join(output, "{recording_id}-{part}.rrd"), ...drain];
  await using first = await Cli.start(runtime, args, { port: port! });
  await using others = new AsyncDisposableStack();
  const logged: Logging[] = [];
  const keep = (logging: Logging) => {
    logged.push(logging);
    others.use(logging.proxy);
    others.use(logging.child);
  };
  try {
    const isCut = drain.length > 0;
    const until = join(folder, "upgraded");
    const early = await Promise.all(
      sdks.map((sdk) => log(sdk, port!, `early-${sdk.version}`, EARLY_STEPS, [until])),
    );
    for (const logging of early) keep(logging);
    await within(STEP_MS, "all to log", begun(early));
    first.child.kill("SIGUSR2");
    await first.child.waitFor(/Draining \(SIGUSR2\): /, STEP_MS);
    await using second = others.use(await Cli.start(runtime, args, { port: port! }));
    const late = await Promise.all(
      sdks.map((sdk) => log(sdk, port!, `late-${sdk.version}`, LATE_STEPS)),
    );
    for (const logging of late) keep(logging);
    for (const logging of late) await ends(logging, false);
    if (isCut) {
      await within(STEP_MS, "the first server to cut all", first.child.ended);
      const [again] = early.filter(({ isGrpc }) => !isGrpc);
      await within(STEP_MS, `${again!.name} to connect anew`, again!.proxy.begun(2));
    }
    await writeFile(until, "");
    for (const logging of early) await ends(logging, isCut);
    const ended = await within(STEP_MS, "the first server to end", first.child.ended);
    if (ended.code !== 0) throw new Error(`the first server ended with ${describeEnd(ended)}`);
    await second.stop();
    checkTold(first, second, isCut);
    const saved = await filesIn(output);
    let packets = 0;
    for (const logging of late) packets += check(logging, saved, ["0001"]);
    for (const logging of early) {
      packets += isCut ? checkCut(logging, saved) : check(logging, saved, ["0001"]);
    }
    await run([...cliCommand(runtime), "rrd", "verify", "--strict", output], { ms: STEP_MS });
    const bytes = [...early, ...late].flatMap(({ proxy }) => proxy.recordings)
      .reduce((sum, recording) => sum + recording.bytes, 0);
    return { packets, bytes };
  } catch (error) {
    await writeFile(join(folder, "first.log"), first.child.stderr);
    for (const { name, proxy } of logged) {
      for (const [number, recording] of proxy.recordings.entries()) {
        await writeFile(join(folder, `${name}-${number}.bin`), recordedBytes(recording));
      }
    }
    throw error;
  }
}

async function log(
  sdk: Sdk,
  port: number,
  name: string,
  steps: number,
  until: readonly string[] = [],
): Promise<Logging> {
  const isGrpc = Number(sdk.version.split(".")[1]) >= 23;
  const proxy = await RecordingProxy.start(port);
  const command = isGrpc
    ? [...grpcWorkload(sdk, proxy.port, steps, name, PAUSE_SEC), ...until]
    : [sdk.python, TCP_WORKLOAD, String(proxy.port), "steady", String(steps), name, ...until];
  return { name, isGrpc, proxy, child: new Child(command, { env: sdk.env }) };
}

async function begun(all: readonly Logging[]): Promise<void> {
  while (!all.every(({ proxy }) => (proxy.recordings[0]?.bytes ?? 0) > BEGUN_BYTES)) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function ends({ name, isGrpc, proxy, child }: Logging, isCut: boolean): Promise<void> {
  const ended = await within(STEP_MS, `${name} to log`, child.ended);
  if (ended.code !== 0) throw new Error(`${name} ended with ${describeEnd(ended)}`);
  if (isCut) return;
  if (isGrpc) checkSilent({ version: name } as Sdk, ended.stderr);
  await proxy.finish(1);
}

/** The first server tells of each client that it cuts, and nobody has anything else to complain of. */
function checkTold(first: Cli, second: Cli, isCut: boolean): void {
  const told = isCut
    ? [
      /\(--drain\): cutting 1 gRPC call \(grpc:.*is lost/,
      /\(--drain\): closing 1 connection \(tcp:/,
    ]
    : [];
  for (const pattern of told) {
    if (!pattern.test(first.child.stderr)) throw new Error(`it was not told that ${pattern}`);
  }
  const [complaint] = [
    ...first.complaints([...told, /left early: /, /still sending after/]),
    ...second.complaints([]),
  ];
  if (complaint) throw new Error(`a server says: ${complaint}`);
}

async function filesIn(folder: string): Promise<Map<string, Uint8Array>> {
  const names = (await readdir(folder)).filter((name) => !name.endsWith(".index.jsonl"));
  const files = names.map(async (name) => [name, await readFile(join(folder, name))] as const);
  return new Map(await Promise.all(files));
}

function fileOf(files: ReadonlyMap<string, Uint8Array>, name: string): Uint8Array {
  const file = files.get(name);
  if (file === undefined) throw new Error(`there is no ${name} but ${[...files.keys()]}`);
  return file;
}

/** All that was sent is in these parts, and only there. */
function check(
  { name, isGrpc, proxy }: Logging,
  files: ReadonlyMap<string, Uint8Array>,
  [part]: readonly [string],
): number {
  const own = [...files.keys()].filter((file) => file.startsWith(`${name}-`));
  if (own.length !== 1) throw new Error(`of ${name} there are ${own}`);
  const saved = fileOf(files, `${name}-${part}.rrd`);
  const sent = recordedBytes(proxy.recordings[0]!);
  if (!isGrpc) {
    const connection = cutConnection(sent);
    checkSaved(saved, [connection]);
    return connection.packets;
  }
  const [call] = cutCalls(sent);
  if (call === undefined || !call.hasEnded) throw new Error(`${name} did not end its call`);
  checkSame(cutProtobufFile(saved), call.messages);
  return call.messages.length;
}

/** The first has what came until it cut, without a gap; of who connects anew the next one has the rest. */
function checkCut(
  { name, isGrpc, proxy }: Logging,
  files: ReadonlyMap<string, Uint8Array>,
): number {
  const before = fileOf(files, `${name}-0001.rrd`);
  if (isGrpc) {
    const [call] = cutCalls(recordedBytes(proxy.recordings[0]!));
    const saved = cutProtobufFile(before);
    checkSame(saved, call!.messages.slice(0, saved.length));
    if (saved.length === 0) throw new Error(`nothing of ${name} was saved`);
    return saved.length;
  }
  const [one, two, more] = proxy.recordings.map((recording) =>
    cutConnection(recordedBytes(recording))
  );
  if (two === undefined || more !== undefined) throw new Error(`${name} did not connect anew once`);
  const saved = cutStream(before).messages.length;
  checkSaved(before, [{ ...one!, messages: one!.messages.slice(0, saved) }]);
  // What nobody sends a second time is copied from the first file: whose recording it is.
  const next = { ...two, messages: [one!.messages[0]!, ...two.messages] };
  checkSaved(fileOf(files, `${name}-0002.rrd`), [next]);
  return one!.packets + two.packets;
}
