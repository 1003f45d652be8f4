/**
 * How fast one client is received, on Deno and on Bun, beside a control that only reads its bytes:
 *
 *     deno run -A tests/bench/receive.ts [--only small] [--rounds 5]
 *
 * `--stream NAME=FILE` replays what an SDK sent instead, `--peer PROGRAM` then runs another server
 * beside: `PROGRAM PORT` must print `msgs N in S s` when its client goes quiet.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "@std/cli";
import { measure, measurePeer, type Run, SUBJECTS } from "./receive_runs.ts";
import { makeStream, recordedStream, type Stream, STREAM_NAMES } from "./streams.ts";

/** One line of the table. */
interface Row {
  readonly subject: typeof SUBJECTS[number] | "peer";
  readonly runs: Run[];
}

const WIDTHS = [14, 8, 16, 11, 9, 9, 10];

function line(cells: readonly string[]): string {
  return cells.map((cell, i) => i === 0 ? cell.padEnd(WIDTHS[i]!) : cell.padStart(WIDTHS[i]!))
    .join("");
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

function tableRow({ subject, runs }: Row, { bytes, messages }: Stream, rows: readonly Row[]) {
  const of = (field: "sec" | "cpuSec" | "peakKiB", row = runs) => median(row.map((r) => r[field]));
  const sec = of("sec");
  const [runtime] = subject.split(" ");
  const control = rows.find((row) => row.subject === `${runtime} control`);
  const speeds = runs.map((run) => bytes / 1e6 / run.sec);
  const known = (value: number, text: string) => Number.isNaN(value) ? "" : text;
  return line([
    subject,
    (bytes / 1e6 / sec).toFixed(0),
    `${Math.min(...speeds).toFixed(0)}–${Math.max(...speeds).toFixed(0)}`,
    (messages / sec).toFixed(0),
    control ? (of("sec", control.runs) / sec).toFixed(2) : "",
    known(of("cpuSec"), of("cpuSec").toFixed(2)),
    known(of("peakKiB"), `${(of("peakKiB") / 1024).toFixed(0)} MiB`),
  ]);
}

async function streams(folder: string, recorded: readonly string[], only: string | undefined) {
  if (recorded.length === 0) {
    const names = STREAM_NAMES.filter((name) => only === undefined || name === only);
    return names.map((name) => makeStream(name, folder));
  }
  return await Promise.all(recorded.map(async (text) => {
    const [name, path] = text.split("=");
    if (!path) throw new Error(`--stream takes NAME=FILE, not ${text}`);
    return recordedStream(name!, path, await readFile(path));
  }));
}

const args = parseArgs(process.argv.slice(2), {
  string: ["only", "rounds", "stream", "peer"],
  collect: ["stream"],
  unknown: (arg) => {
    console.error(
      `There is no ${arg}: --only NAME, --rounds N, --stream NAME=FILE, --peer PROGRAM`,
    );
    process.exit(2);
  },
});
const rounds = Number(args.rounds ?? 5);
const folder = await mkdtemp(join(tmpdir(), "rerelay-bench-"));
try {
  const only = args.only as string | undefined;
  for (const stream of await streams(folder, args.stream as string[], only)) {
    const rows: Row[] = SUBJECTS.map((subject) => ({ subject, runs: [] }));
    if (args.peer) rows.push({ subject: "peer", runs: [] });
    // Interleaved: what else the machine does falls on all alike.
    for (let round = 0; round < rounds; round++) {
      for (const { subject, runs } of rows) {
        runs.push(
          subject === "peer"
            ? await measurePeer(String(args.peer), stream)
            : await measure(subject, stream),
        );
      }
    }
    const megabytes = (stream.bytes / 1e6).toFixed(0);
    console.log(
      `${stream.name}: ${megabytes} MB, ${stream.messages} messages, median of ${rounds}`,
    );
    console.log(line(["", "MB/s", "min–max", "messages/s", "/control", "CPU s", "peak RSS"]));
    for (const row of rows) console.log(tableRow(row, stream, rows));
    console.log();
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.exit();
