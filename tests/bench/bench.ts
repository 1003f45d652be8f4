/**
 * Everything that is measured, each on Deno and on Bun:
 *
 *     deno task bench [--only small,images,points,latency,…] [--groups speed,sendfile,clients,save,tables,data]
 *       [--rounds 5 [--more]] [--warm-ups N] [--streams FOLDER] [--peer PROGRAM]
 *       [--rerun PROGRAM] [--write]
 *
 * How fast a client's stream is received comes first, beside a program that only reads it and beside
 * Rerun's own server, which is built once where there is cargo; `--rerun` adds its command line of
 * 0.22.1 to saving. The streams are recorded once with a
 * real SDK. What was measured is kept, `--more` adds rounds to it, and `--write` draws docs/receive.svg
 * of it. Then come the programs of the other names.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "@std/cli";
import {
  type Group,
  GROUPS,
  keepResults,
  measureGroup,
  readResults,
  type Results,
  withRuns,
} from "./bench_groups.ts";
import { table } from "./figures.ts";
import { machine } from "./machine.ts";
import { picture } from "./receive_plot.ts";
import { recording, type Workload, WORKLOADS } from "./recordings.ts";
import { findPeer } from "./rust_peer.ts";

/** Programs of their own, in this order. */
const PROGRAMS = ["latency", "start", "growth", "viewers", "workers"]
  .filter((name) => existsSync(new URL(`${name}.ts`, import.meta.url)));
/** Those of them that draw something. */
const DRAWING = ["growth"];
const PICTURE = new URL("../../docs/receive.svg", import.meta.url);

const args = parseArgs(process.argv.slice(2), {
  string: ["only", "groups", "rounds", "warm-ups", "streams", "peer", "rerun"],
  boolean: ["more", "write"],
  unknown: (arg) => usage(`There is no ${arg}`),
});
const given = (name: string) => args[name] as string | undefined;
const write = Boolean(args["write"]);

function usage(what: string): never {
  console.error(`${what}: see the top of tests/bench/bench.ts`);
  process.exit(2);
}

function chosen<T extends string>(text: string | undefined, known: readonly T[]): T[] {
  const names = text?.split(",") as T[] | undefined ?? [...known];
  const wrong = names.find((name) => !known.includes(name));
  if (wrong !== undefined) usage(`There is no ${wrong} among ${known.join(", ")}`);
  return names;
}

/** Measures one workload, and keeps what was measured of it before in other groups. */
async function receive(name: Workload, results: Results, groups: readonly Group[]): Promise<void> {
  const stream = await recording(name, given("streams"));
  const plan = {
    rounds: Number(given("rounds") ?? 5),
    peer: await findPeer(given("peer")),
    rerun: given("rerun"),
    ...given("warm-ups") !== undefined && { warmUps: Number(given("warm-ups")) },
  };
  for (const group of groups) {
    // Many clients make a difference where there are many messages.
    if (group === "clients" && name !== "small") continue;
    const kept = args["more"] ? results[name]?.groups[group] : undefined;
    const rows = withRuns(await measureGroup(group, stream, plan), kept);
    console.log(`${group}, ${table(stream, rows)}`);
    results[name] = { stream, groups: { ...results[name]?.groups, [group]: rows } };
    await keepResults(results);
  }
}

async function run(program: string): Promise<boolean> {
  const path = fileURLToPath(new URL(`${program}.ts`, import.meta.url));
  console.log(`== ${program}`);
  const command = ["run", "-A", path, ...(write && DRAWING.includes(program) ? ["--write"] : [])];
  const [code] = await once(spawn("deno", command, { stdio: "inherit" }), "exit");
  return code === 0;
}

const workloads = Object.keys(WORKLOADS) as Workload[];
const names = chosen(given("only"), [...workloads, ...PROGRAMS]);
const groups = chosen(given("groups"), GROUPS);
const results = await readResults();
console.log(await machine());
for (const name of workloads) if (names.includes(name)) await receive(name, results, groups);
if (write) await writeFile(PICTURE, picture(results, await machine()));
const failed = [];
for (const name of PROGRAMS) if (names.includes(name) && !await run(name)) failed.push(name);
if (failed.length > 0) console.error(`Failed: ${failed.join(", ")}`);
process.exit(failed.length > 0 ? 1 : 0);
