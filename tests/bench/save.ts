/**
 * How much saving slows receiving, on Deno and on Bun, each with and without in turn:
 *
 *     deno run -A tests/bench/save.ts [--only small] [--rounds 5] [--folder DIR] [--compress lz4]
 *
 * `--stream NAME=FILE` replays what an SDK sent instead of a stream made for this.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "@std/cli";
import { within } from "../conformance/child.ts";
import { startChild } from "../contract/child.ts";
import { DEADLINE_MS, send } from "./receive_runs.ts";
import { makeStream, recordedStream, type Stream, STREAM_NAMES } from "./streams.ts";

/** What is asked of it: so much of the speed without saving. */
const ENOUGH = 0.8;

interface Run {
  /** From the first byte sent until the last message was written. */
  readonly sec: number;
  readonly closeSec: number;
  readonly cpuSec: number;
  readonly peakKiB: number;
}

const RECEIVER = new URL("save_child.ts", import.meta.url);

async function measure(runtime: "deno" | "bun", args: string[], stream: Stream): Promise<Run> {
  const receiver = startChild(RECEIVER, args, undefined, runtime);
  try {
    const { port } = await within(DEADLINE_MS, runtime, receiver.next<{ port: number }>());
    const sec = await send(stream, port, () => receiver.next());
    const { count, ...run } = await within(
      DEADLINE_MS,
      runtime,
      receiver.next<Run & { count: number }>(),
    );
    if (count !== stream.messages) throw new Error(`${args[0]}: ${count}, not ${stream.messages}`);
    return { ...run, sec };
  } finally {
    await receiver.stop();
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

function row(name: string, runs: readonly Run[], control: readonly Run[], { bytes }: Stream) {
  const speed = ({ sec }: Run) => bytes / 1e6 / sec;
  const speeds = runs.map(speed);
  const cells = [
    name,
    median(speeds).toFixed(0),
    `${Math.min(...speeds).toFixed(0)}–${Math.max(...speeds).toFixed(0)}`,
    (median(speeds) / median(control.map(speed))).toFixed(2),
    median(runs.map((run) => run.cpuSec)).toFixed(2),
    `${(median(runs.map((run) => run.peakKiB)) / 1024).toFixed(0)} MiB`,
    median(runs.map((run) => run.closeSec)).toFixed(2),
  ];
  const widths = [14, 8, 14, 8, 8, 10, 9];
  return cells.map((cell, i) => i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))
    .join("");
}

const args = parseArgs(process.argv.slice(2), {
  string: ["only", "rounds", "stream", "folder", "compress", "runtimes"],
  collect: ["stream"],
  unknown: (arg) => {
    console.error(
      `There is no ${arg}: --only NAME, --rounds N, --stream NAME=FILE, --folder DIR, ` +
        "--runtimes deno,bun, --compress lz4",
    );
    process.exit(2);
  },
});
const folder = await mkdtemp(join(args.folder ? String(args.folder) : tmpdir(), "rerelay-bench-"));
const runtimes = String(args.runtimes ?? "deno,bun").split(",") as ("deno" | "bun")[];
let slow = 0;
try {
  const recorded = (args.stream as string[]).map((text) => text.split("="));
  const names = STREAM_NAMES.filter((name) => args.only === undefined || name === args.only);
  const streams = recorded.length > 0
    ? await Promise.all(
      recorded.map(async ([name, path]) => recordedStream(name!, path!, await readFile(path!))),
    )
    : names.map((name) => makeStream(name, folder));
  for (const stream of streams) {
    const path = join(folder, "saved.rrd");
    const save = args.compress === "lz4" ? [path, "lz4"] : [path];
    const subjects = runtimes.map((runtime) => ({
      runtime,
      off: [] as Run[],
      on: [] as Run[],
    }));
    // Interleaved: what else the machine does falls on all alike.
    for (let round = 0; round < Number(args.rounds ?? 5); round++) {
      for (const { runtime, off, on } of subjects) {
        off.push(await measure(runtime, ["off"], stream));
        on.push(await measure(runtime, save, stream));
        await rm(path);
      }
    }
    console.log(
      `${stream.name}: ${(stream.bytes / 1e6).toFixed(0)} MB, ${stream.messages} messages`,
    );
    console.log("                  MB/s       min–max /without   CPU s  peak RSS  close s");
    for (const { runtime, off, on } of subjects) {
      console.log(row(`${runtime}`, off, off, stream));
      console.log(row(`${runtime} saving`, on, off, stream));
      if (median(off.map(({ sec }) => sec)) / median(on.map(({ sec }) => sec)) < ENOUGH) slow++;
    }
    console.log();
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
console.log(slow === 0 ? "fast enough" : `${slow} below ${ENOUGH * 100} %`);
process.exit(slow === 0 ? 0 : 1);
