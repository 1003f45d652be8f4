/**
 * Episodes of a robot, one after the other: each is a recording of its own, sent by a program that
 * brings its own blueprint; every tenth is followed by one that sends a blueprint and logs nothing.
 *
 *     deno run -A tests/soak/episodes.ts [--episodes 2000] [--plot FILE]
 *
 * As many files as episodes, at most three times the bytes that came, and the last episodes take no
 * longer than the first. `npm run soak` has a short form of it.
 */
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "@std/cli";
import { machine } from "../bench/machine.ts";
import { growthPlot } from "../bench/growth_plot.ts";
import { open, send } from "../cli/cli_process.ts";
import { Cli, type Runtime } from "../conformance/cli_process.ts";
import { concat, framed, HELLO, rrdHeader } from "../encoding/rrd_builder.ts";
import { SdkClient } from "../sinks/clients.ts";
import { residentBytes } from "./resident.ts";

/** As long as real ones are. */
const BLUEPRINT_BYTES = 25_000;
const MESSAGES = 20;
const MESSAGE_BYTES = 500;

/** What was measured. */
export interface Episodes {
  readonly files: number;
  /** Of the files, and of the messages that were sent. */
  readonly savedBytes: number;
  readonly sentBytes: number;
  /** From the connect until the server has read all and closed, of each in milliseconds. */
  readonly times: readonly number[];
  /** Of the last quarter over the second: what a quarter of the episodes is faster than. */
  readonly growth: number;
  readonly residentMiB: number;
}

/**
 * Runs them against the command line.
 *
 * @param runtime that it runs on
 * @param count how many episodes
 */
export async function episodes(runtime: Runtime, count: number): Promise<Episodes> {
  const folder = mkdtempSync(join(tmpdir(), "rerelay-episodes-"));
  try {
    const pattern = join(folder, "{application_id}-{recording_id}.rrd");
    await using cli = await Cli.start(runtime, ["--quiet", "--save", pattern]);
    const times: number[] = [];
    let sentBytes = 0;
    const session = async (messages: readonly Uint8Array[]) => {
      for (const bytes of messages) sentBytes += bytes.length;
      const packets = messages.map((bytes) => framed(concat(rrdHeader(), bytes)));
      const socket = await open(cli.port);
      await send(socket, concat(HELLO, ...packets));
      const closed = new Promise((resolve) => socket.once("close", resolve));
      socket.end();
      socket.resume();
      await closed;
    };
    for (let i = 0; i < count; i++) {
      const start = performance.now();
      await session(program(i));
      times.push(performance.now() - start);
      if (i % 10 === 9) await session(layout(i));
    }
    const residentMiB = residentBytes(cli.child.pid!) / 2 ** 20;
    await cli.stop();
    const files = readdirSync(folder).filter((name) => name.endsWith(".rrd"));
    const savedBytes = files.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
    const quarter = count >> 2;
    // Other programs of the machine slow down some of them.
    const fast = (times: readonly number[]) => sorted(times)[times.length >> 2]!;
    const growth = fast(times.slice(-quarter)) / fast(times.slice(quarter, 2 * quarter));
    return { files: files.length, savedBytes, sentBytes, times, growth, residentMiB };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What is to hold of them, with the figures. */
export function* verdicts(
  runtime: Runtime,
  { files, savedBytes, sentBytes, times, growth, residentMiB }: Episodes,
): Generator<[what: string, ok: boolean, figure: string]> {
  const name = `${runtime}, ${times.length} episodes`;
  yield [`${name}: as many files`, files === times.length, `${files}`];
  const megabytes = [savedBytes, sentBytes].map((bytes) => (bytes / 1e6).toFixed(1));
  yield [
    `${name}: at most three times as many bytes as came`,
    savedBytes <= 3 * sentBytes,
    `${megabytes[0]} MB of ${megabytes[1]}`,
  ];
  yield [
    `${name}: the last take no longer than the first`,
    growth < 1.5,
    `${median(times).toFixed(1)} ms each, ${growth.toFixed(2)} times as long at the end; ` +
    `${residentMiB.toFixed(0)} MiB resident`,
  ];
}

function program(i: number): Uint8Array[] {
  const client = new SdkClient(i + 1, "robot");
  return [
    ...client.blueprint(`layout ${i}`, { data: BLUEPRINT_BYTES }),
    client.announces(`episode ${i}`),
    ...Array.from({ length: MESSAGES }, () => client.logs(`episode ${i}`, MESSAGE_BYTES)),
  ].map(bytesOf);
}

function layout(i: number): Uint8Array[] {
  const client = new SdkClient(i + 1, "robot");
  return client.blueprint(`layout for all ${i}`, { data: BLUEPRINT_BYTES }).map(bytesOf);
}

function bytesOf({ payload }: ReturnType<SdkClient["announces"]>): Uint8Array {
  if (payload.type !== "msg") throw new Error("no message");
  return payload.msg.encoded.bytes;
}

function median(values: readonly number[]): number {
  return sorted(values)[values.length >> 1]!;
}

function sorted(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}

/** Medians of so many groups of neighbours. */
function smooth(values: readonly number[], groups: number): number[] {
  const size = Math.floor(values.length / groups);
  return Array.from({ length: groups }, (_, i) => median(values.slice(i * size, (i + 1) * size)));
}

async function main(): Promise<number> {
  const args = parseArgs(process.argv.slice(2), { string: ["episodes", "plot"] });
  const count = Number(args.episodes ?? 2000);
  let [passed, failed] = [0, 0];
  const values = { deno: [] as number[], bun: [] as number[] };
  for (const runtime of ["deno", "bun"] as const) {
    const found = await episodes(runtime, count);
    for (const [what, ok, figure] of verdicts(runtime, found)) {
      if (ok) passed++;
      else failed++;
      console.log(`${ok ? "ok    " : "FAILED"} ${what}: ${figure}`);
    }
    values[runtime] = smooth(found.times, 40);
  }
  if (args.plot !== undefined) {
    const steps = Array.from(
      { length: 40 },
      (_, i) => i % 10 === 9 ? `${(i + 1) * count / 40}` : "",
    );
    const panel = { title: "Time of an episode", steps, unit: "ms", values };
    writeFileSync(String(args.plot), growthPlot([panel], await machine()));
  }
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

if (import.meta.main) process.exit(await main());
