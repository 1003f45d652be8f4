/**
 * How fast clients are received, on Deno and on Bun, beside a control that only reads their bytes:
 *
 *     deno run -A tests/bench/receive.ts [--only small] [--what server,control] [--clients 1,16]
 *       [--rounds 5] [--warm-ups 5] [--sendfile] [--peer PROGRAM] [--rerun PROGRAM]
 *       [--streams FOLDER] [--folder FOLDER]
 *
 * Everything is timed alike: from the first byte that is sent until the receiver has counted the last
 * message, after it was warmed up with the first part of the stream and so many times all of it, the subjects
 * taking turns. With `--sendfile` the kernel sends out of a file.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "@std/cli";
import { table } from "./figures.ts";
import { measure, type Run, type Subject, type What } from "./receive_runs.ts";
import { recording, type Workload, WORKLOADS } from "./recordings.ts";
import type { Stream } from "./streams.ts";

/** One line of the table. */
export interface Row {
  readonly subject: Subject;
  readonly runs: Run[];
}

/** Which subjects are measured. */
export interface Plan {
  readonly rounds: number;
  /** How often Deno and Bun receive all of it before. */
  readonly warmUps?: number;
  readonly sendfile?: boolean;
  readonly what: readonly What[];
  readonly clients: readonly number[];
  readonly peer: string | undefined;
  /** Rerun's own command line, which saves. */
  readonly rerun?: string | undefined;
  /** Where files are saved; that for temporary files if left out. */
  readonly folder?: string | undefined;
}

/** All subjects of a plan. */
function subjects({ what, clients, peer, rerun, warmUps = 0, sendfile = false }: Plan): Subject[] {
  const own = (["deno", "bun"] as const).flatMap((runtime) =>
    clients.flatMap((count) =>
      what.map((each) => ({ runtime, what: each, clients: count, warmUps }))
    )
  );
  const peers = clients.map((count) => ({
    runtime: "peer" as const,
    what: "server" as const,
    clients: count,
  }));
  const savers = clients.map((count) => ({
    runtime: "rerun" as const,
    what: "save" as const,
    clients: count,
  }));
  const all = [...own, ...peer === undefined ? [] : peers, ...rerun === undefined ? [] : savers];
  return all.map((subject) => ({ ...subject, sendfile }));
}

/** Measures all subjects of a plan with one stream. */
export async function compare(stream: Stream, plan: Plan): Promise<Row[]> {
  const folder = await mkdtemp(join(plan.folder ?? tmpdir(), "rerelay-bench-"));
  try {
    const rows = subjects(plan).map((subject): Row => ({ subject, runs: [] }));
    // Interleaved: what else the machine does falls on all alike.
    for (let round = 0; round < plan.rounds; round++) {
      for (const { subject, runs } of rows) {
        runs.push(await measure(subject, stream, { ...plan, file: join(folder, "saved.rrd") }));
      }
    }
    return rows;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const args = parseArgs(process.argv.slice(2), {
    string: ["only", "what", "clients", "rounds", "warm-ups", "peer", "rerun", "streams", "folder"],
    boolean: ["sendfile"],
    unknown: (arg) => {
      console.error(`There is no ${arg}: see the top of tests/bench/receive.ts`);
      process.exit(2);
    },
  });
  const given = (name: string) => args[name] as string | undefined;
  const plan: Plan = {
    rounds: Number(given("rounds") ?? 5),
    warmUps: Number(given("warm-ups") ?? 5),
    sendfile: Boolean(args["sendfile"]),
    what: (given("what") ?? "server,control").split(",") as What[],
    clients: (given("clients") ?? "1").split(",").map(Number),
    peer: given("peer"),
    rerun: given("rerun"),
    folder: given("folder"),
  };
  const names = given("only")?.split(",") ?? Object.keys(WORKLOADS);
  for (const name of names) {
    const stream = await recording(name as Workload, given("streams"));
    console.log(table(stream, await compare(stream, plan)));
  }
  process.exit();
}
