/** What the benchmark compares, and what it measured before. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cacheFolder } from "../conformance/sdk_cache.ts";
import type { Plan, Row } from "./receive.ts";
import { measure, type Subject } from "./receive_runs.ts";
import type { Workload } from "./recordings.ts";
import type { Stream } from "./streams.ts";

/**
 * Subjects that take turns. Saving is apart, for what it leaves the disk to do slows the others;
 * `sendfile` is `speed` with another sender.
 */
export const GROUPS = ["speed", "sendfile", "clients", "save", "tables", "data"] as const;

/**
 * How often all is received before, on Deno and on Bun: until their code is as fast as it gets, but for
 * what is saved, for then the disk would lag behind.
 */
const WARM_UPS = { speed: 5, sendfile: 5, clients: 5, save: 1, tables: 0, data: 5 };

/** What is measured in a group, and how often all is received before. */
type Choice = Pick<Plan, "peer" | "rerun" | "warmUps">;

/** Name of a group. */
export type Group = typeof GROUPS[number];

/** All that is known of one workload. */
export interface Result {
  readonly stream: Stream;
  readonly groups: Partial<Record<Group, readonly Row[]>>;
}

/** All that was measured on this machine. */
export type Results = Partial<Record<Workload, Result>>;

const FILE = join(cacheFolder(), "..", "bench", "receive.json");

function subjects(group: Group, choice: Choice): Subject[] {
  const warmUps = choice.warmUps ?? WARM_UPS[group];
  const both = (what: Subject["what"], clients = 1): Subject[] =>
    (["deno", "bun"] as const).map((runtime) => ({
      runtime,
      what,
      clients,
      warmUps,
    }));
  const peers = (...whats: Subject["what"][]): Subject[] =>
    choice.peer === undefined
      ? []
      : whats.map((what) => ({ runtime: "peer", what, clients: 1, warmUps }));
  const peer = peers("server");
  const rerun: Subject[] = choice.rerun === undefined
    ? []
    : [{ runtime: "rerun", what: "save", clients: 1 }];
  switch (group) {
    case "speed":
      return [...both("server"), ...both("control"), ...peer];
    case "sendfile":
      return subjects("speed", choice).map((subject) => ({
        ...subject,
        sendfile: true,
      }));
    case "clients":
      return [...both("server"), ...both("server", 16)];
    case "save":
      return [...both("server"), ...both("save"), ...both("copy"), ...rerun];
    case "tables":
      return [...both("tables"), ...peer];
    case "data":
      return [
        ...[...both("column"), ...both("columns"), ...both("tables")],
        ...[...both("server"), ...both("drain"), ...peers("server", "drain")],
      ];
  }
}

/** Measures the subjects of a group in turn, so that what else the machine does falls on all alike. */
export async function measureGroup(
  group: Group,
  stream: Stream,
  { rounds, peer, rerun, warmUps }: Choice & Pick<Plan, "rounds">,
): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), "rerelay-bench-"));
  try {
    const given = { peer, rerun, file: join(folder, "saved.rrd") };
    const rows = subjects(group, { peer, rerun, ...warmUps === undefined ? {} : { warmUps } })
      .map((subject): Row => ({ subject, runs: [] }));
    for (let round = 0; round < rounds; round++) {
      for (const { subject, runs } of rows) {
        runs.push(await measure(subject, stream, given));
      }
    }
    return rows;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Rows with the runs of the same rows from before. */
export function withRuns(rows: readonly Row[], before: readonly Row[] = []): Row[] {
  return rows.map(({ subject, runs }) => {
    const same = before.find((row) => JSON.stringify(row.subject) === JSON.stringify(subject));
    return { subject, runs: [...same?.runs ?? [], ...runs] };
  });
}

/** What was kept of earlier measurements. */
export async function readResults(): Promise<Results> {
  return JSON.parse(await readFile(FILE, "utf8").catch(() => "{}")) as Results;
}

/** Keeps results for a later picture. */
export async function keepResults(results: Results): Promise<void> {
  await mkdir(join(FILE, ".."), { recursive: true });
  await writeFile(FILE, JSON.stringify(results));
}
