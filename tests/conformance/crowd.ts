/** SDKs of both generations at once on one port; some of them are killed. */
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkSaved } from "./checks.ts";
import { Child, describeEnd, within } from "./child.ts";
import { Cli, type Runtime } from "./cli_process.ts";
import { cutConnection } from "./cutter.ts";
import { checkSilent, grpcWorkload } from "./grpc.ts";
import { checkSame, cutCalls, cutProtobufFile } from "./grpc_cutter.ts";
import { recordedBytes, RecordingProxy } from "./proxy.ts";
import type { Passed } from "./scenarios.ts";
import type { Sdk } from "./sdk_cache.ts";

/** Who logs at once. */
export const CROWD_SDKS = ["0.16.1", "0.22.1", "0.23.4", "0.41.0"];

const STEPS = 200;
/** Between two frames, in seconds: of one that is to be killed in their midst. */
const PAUSE_SEC = 0.005;
const SDK_MS = 60_000;
const TCP_WORKLOAD = fileURLToPath(new URL("workload.py", import.meta.url));

/**
 * Lets them log, round after round, each time to a new server.
 *
 * @param folder for the files of a round; they are left there if it fails
 * @param rounds in which all end well
 * @param kills further ones, in which one of them is killed
 * @throws if anything is not as it must be
 */
export async function playCrowd(
  runtime: Runtime,
  folder: string,
  get: (version: string) => Promise<Sdk>,
  rounds: number,
  kills: number,
): Promise<Passed> {
  const sdks: Sdk[] = [];
  for (const version of CROWD_SDKS) sdks.push(await get(version));
  const passed = { packets: 0, bytes: 0 };
  for (let round = 0; round < rounds + kills; round++) {
    const victim = round < rounds ? undefined : Math.floor(Math.random() * sdks.length);
    const own = join(folder, `round-${round}`);
    const what = victim === undefined ? "" : `, with ${CROWD_SDKS[victim]} killed`;
    try {
      const { packets, bytes } = await playRound(runtime, own, sdks, victim);
      passed.packets += packets;
      passed.bytes += bytes;
    } catch (error) {
      throw new Error(`round ${round}${what}: ${(error as Error).message}`, { cause: error });
    }
    await rm(own, { recursive: true, force: true });
  }
  return passed;
}

async function playRound(
  runtime: Runtime,
  folder: string,
  sdks: readonly Sdk[],
  victim: number | undefined,
): Promise<Passed> {
  const output = join(folder, "output");
  await mkdir(output, { recursive: true });
  await using cli = await Cli.start(runtime, ["--save", join(output, "{recording_id}.rrd")]);
  // One for each, so that it is known who sent what.
  const proxies = await Promise.all(sdks.map(() => RecordingProxy.start(cli.port)));
  try {
    await Promise.all(
      sdks.map((sdk, i) => logOne(sdk, proxies[i]!, `rec-${sdk.version}`, i === victim)),
    );
    for (const [i, proxy] of proxies.entries()) await finished(proxy, i === victim);
    await cli.stop();
    const [complaint] = cli.complaints(victim === undefined ? [] : [/left early: /]);
    if (complaint) throw new Error(`the CLI says: ${complaint}`);
    const files = (await readdir(output)).filter((name) => name.endsWith(".rrd"));
    if (files.length !== sdks.length) throw new Error(`there are just ${files.join(", ")}`);
    let packets = 0;
    for (const [i, sdk] of sdks.entries()) {
      const saved = await readFile(join(output, `rec-${sdk.version}.rrd`));
      const sent = recordedBytes(proxies[i]!.recordings[0]!);
      try {
        packets += check(sdk, saved, sent, i === victim);
      } catch (error) {
        throw new Error(`${sdk.version}: ${(error as Error).message}`, { cause: error });
      }
    }
    return { packets, bytes: proxies.reduce((sum, p) => sum + p.recordings[0]!.bytes, 0) };
  } catch (error) {
    await writeFile(join(folder, "cli.log"), cli.child.stderr);
    for (const [i, { recordings }] of proxies.entries()) {
      for (const [n, recording] of recordings.entries()) {
        await writeFile(join(folder, `${sdks[i]!.version}-${n}.bin`), recordedBytes(recording));
      }
    }
    throw error;
  } finally {
    for (const proxy of proxies) await proxy[Symbol.asyncDispose]();
  }
}

function isGrpc({ version }: Sdk): boolean {
  return Number(version.split(".")[1]) >= 23;
}

async function logOne(
  sdk: Sdk,
  proxy: RecordingProxy,
  recording: string,
  isVictim: boolean,
): Promise<void> {
  const command = isGrpc(sdk)
    ? grpcWorkload(sdk, proxy.port, STEPS, recording, PAUSE_SEC)
    : [sdk.python, TCP_WORKLOAD, String(proxy.port), "steady", String(STEPS), recording];
  await using child = new Child(command, { env: sdk.env });
  if (isVictim) {
    // In the midst of it: something was sent, and more would be.
    await within(SDK_MS, `${sdk.version} to begin`, begun(proxy));
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 700));
    child.kill("SIGKILL");
    await child.ended;
    return;
  }
  const ended = await within(SDK_MS, `${sdk.version} to log`, child.ended);
  if (ended.code !== 0) throw new Error(`SDK ${sdk.version} ended with ${describeEnd(ended)}`);
  if (isGrpc(sdk)) checkSilent(sdk, ended.stderr);
}

/** Resolves when a recording can be told: its announcement was sent. */
async function begun({ recordings }: RecordingProxy): Promise<void> {
  while ((recordings[0]?.bytes ?? 0) < 3000) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function finished(proxy: RecordingProxy, isVictim: boolean): Promise<void> {
  try {
    await proxy.finish(1);
  } catch (error) {
    // A killed program's socket may be reset.
    if (!isVictim || !/at the SDK: /.test((error as Error).message)) throw error;
  }
}

/** Each recording is complete: up to its end, or up to where its SDK was killed. */
function check(sdk: Sdk, saved: Uint8Array, sent: Uint8Array, isVictim: boolean): number {
  if (!isGrpc(sdk)) {
    const connection = cutConnection(sent);
    if (connection.rest > 0 && !isVictim) throw new Error("it ends inside a packet");
    checkSaved(saved, [connection]);
    return connection.packets;
  }
  const [call] = cutCalls(sent);
  if (call === undefined) throw new Error("it made no call");
  if (!isVictim && (call.rest > 0 || !call.hasEnded)) throw new Error("it did not end its call");
  checkSame(cutProtobufFile(saved), call.messages);
  return call.messages.length;
}
