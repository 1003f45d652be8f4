/**
 * How fast clients are received, on Deno and on Bun, beside a control that only reads their bytes:
 *
 *     deno run -A tests/bench/receive.ts [--only small] [--what server,control] [--clients 1,16]
 *       [--rounds 5] [--peer PROGRAM] [--streams FOLDER]
 *
 * Everything is timed alike: from the first byte that is sent until the receiver has counted the last
 * message, after it was warmed up with the first part of the stream, the subjects taking turns.
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
  readonly what: readonly What[];
  readonly clients: readonly number[];
  readonly peer: string | undefined;
}

/** All subjects of a plan. */
function subjects({ what, clients, peer }: Plan): Subject[] {
  const own = (["deno", "bun"] as const).flatMap((runtime) =>
    clients.flatMap((count) => what.map((each) => ({ runtime, what: each, clients: count })))
  );
  const peers = clients.map((count) => ({
    runtime: "peer" as const,
    what: "server" as const,
    clients: count,
  }));
  return peer === undefined ? own : [...own, ...peers];
}

/** Measures all subjects of a plan with one stream. */
export async function compare(stream: Stream, plan: Plan): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), "rerelay-bench-"));
  try {
    const rows = subjects(plan).map((subject): Row => ({ subject, runs: [] }));
    // Interleaved: what else the machine does falls on all alike.
    for (let round = 0; round < plan.rounds; round++) {
      for (const { subject, runs } of rows) {
        runs.push(
          await measure(subject, stream, { peer: plan.peer, file: join(folder, "saved.rrd") }),
        );
      }
    }
    return rows;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const args = parseArgs(process.argv.slice(2), {
    string: ["only", "what", "clients", "rounds", "peer", "streams"],
    unknown: (arg) => {
      console.error(`There is no ${arg}: see the top of tests/bench/receive.ts`);
      process.exit(2);
    },
  });
  const given = (name: string) => args[name] as string | undefined;
  const plan: Plan = {
    rounds: Number(given("rounds") ?? 5),
    what: (given("what") ?? "server,control").split(",") as What[],
    clients: (given("clients") ?? "1").split(",").map(Number),
    peer: given("peer"),
  };
  const names = given("only")?.split(",") ?? Object.keys(WORKLOADS);
  for (const name of names) {
    const stream = await recording(name as Workload, given("streams"));
    console.log(table(stream, await compare(stream, plan)));
  }
  process.exit();
}
