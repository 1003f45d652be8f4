/**
 * Lets real SDKs of several versions log to the command line on Deno and on Bun, and holds what was
 * saved against what a proxy in between took down.
 *
 * `deno run -A tests/conformance/run.ts [--versions 0.16.1,0.22.1] [--runtimes deno,bun] [--jobs 2]
 * [--only viewers] [--rounds 20] [--kills 10]`
 */
import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "@std/cli";
import { killAll } from "./child.ts";
import type { Runtime } from "./cli_process.ts";
import { INDEXED, playIndexed } from "./indexed.ts";
import { CROWD_SDKS, playCrowd } from "./crowd.ts";
import { GRPC_VERSIONS, playGrpc } from "./grpc.ts";
import { MIGRATED, playMigrated, TABLES } from "./migrated.ts";
import { NEWEST_FIRST, playNewestFirst } from "./newest_first.ts";
import { playReadToday } from "./read_today.ts";
import { findPython } from "./python.ts";
import { playSaved, SAVED } from "./saved_captures.ts";
import { type Passed, play, SCENARIOS } from "./scenarios.ts";
import { cacheFolder, type Sdk, SdkCache } from "./sdk_cache.ts";
import { playUpgrade } from "./upgrade.ts";
import { playAllVersions, playViewers, READERS, VIEWED } from "./viewers.ts";

const TCP_VERSIONS = "0.9.1,0.15.1,0.16.1,0.17.0,0.18.2,0.19.1,0.20.3,0.21.0,0.22.1".split(",");
const VERSIONS = [...TCP_VERSIONS, ...GRPC_VERSIONS].join(",");
const EXIT_USAGE = 2;

/** One line of the report. */
interface Combination {
  readonly version: string;
  readonly runtime: Runtime;
  readonly part: Part;
}

/** What is done with each version, or with some. */
interface Part {
  readonly name: string;
  readonly versions?: readonly string[];
  readonly play: (
    sdk: Sdk,
    runtime: Runtime,
    folder: string,
    get: (version: string) => Promise<Sdk>,
  ) => Promise<Passed>;
}

const PARTS: readonly Part[] = [
  ...SCENARIOS.map((scenario): Part => ({
    name: scenario.name,
    versions: TCP_VERSIONS,
    play: (sdk, runtime, folder) => play(scenario, sdk, runtime, folder),
  })),
  { name: "captures", versions: Object.keys(SAVED), play: playSaved },
  { name: "migrated", versions: [TABLES, ...MIGRATED], play: playMigrated },
  { name: "indexed", versions: INDEXED, play: playIndexed },
  { name: "read today", versions: MIGRATED, play: playReadToday },
  { name: "newest first", versions: NEWEST_FIRST, play: playNewestFirst },
  { name: "viewers", versions: Object.keys(VIEWED), play: playViewers },
  { name: "all versions", versions: READERS, play: playAllVersions },
  { name: "grpc", versions: GRPC_VERSIONS, play: playGrpc },
  { name: "upgrade", versions: [GRPC_VERSIONS.at(-1)!], play: playUpgrade },
  {
    name: "crowd",
    versions: [CROWD_SDKS.at(-1)!],
    play: (_, runtime, folder, get) => playCrowd(runtime, folder, get, rounds, kills),
  },
];

function usage(text: string): never {
  console.error(
    `${text}\nOptions: --versions ${VERSIONS} --runtimes deno,bun --jobs 2 --only viewers ` +
      "--rounds 2 --kills 1",
  );
  process.exit(EXIT_USAGE);
}

function options() {
  const args = parseArgs(process.argv.slice(2), {
    string: ["versions", "runtimes", "jobs", "only", "rounds", "kills"],
    unknown: (arg) => usage(`There is no ${arg}.`),
  });
  const versions = String(args.versions ?? VERSIONS).split(",");
  for (const version of versions) {
    if (!/^\d+\.\d+\.\d+$/.test(version)) usage(`"${version}" is no version of an SDK.`);
  }
  const runtimes = String(args.runtimes ?? "deno,bun").split(",").map((name): Runtime =>
    name === "deno" || name === "bun" || name === "executable"
      ? name
      : usage(`"${name}" is none of deno, bun, executable.`)
  );
  const jobs = Number(args.jobs ?? 2);
  if (!Number.isInteger(jobs) || jobs < 1) usage(`--jobs takes a number from 1.`);
  const only = args.only;
  if (only !== undefined && !PARTS.some(({ name }) => name === only)) {
    usage(`"${only}" is none of ${PARTS.map(({ name }) => name).join(", ")}.`);
  }
  const count = (name: "rounds" | "kills", without: number) => {
    const value = Number(args[name] ?? without);
    return Number.isInteger(value) && value >= 0
      ? value
      : usage(`--${name} takes a number from 0.`);
  };
  return { versions, runtimes, jobs, only, rounds: count("rounds", 2), kills: count("kills", 1) };
}

/** Runs all, several at a time; one that fails stops no other. */
async function runAll(
  combinations: readonly Combination[],
  cache: SdkCache,
  jobs: number,
  folder: string,
): Promise<number> {
  const queue = combinations.values();
  let failed = 0;
  const work = async () => {
    for (const combination of queue) {
      let started = performance.now();
      const { version, runtime, part } = combination;
      const name = `${version.padEnd(7)} ${runtime.padEnd(4)} ${part.name.padEnd(11)}`;
      const own = join(folder, `${version}-${runtime}-${part.name.replaceAll(" ", "-")}`);
      const seconds = () => `${((performance.now() - started) / 1000).toFixed(1).padStart(5)} s`;
      try {
        const sdk = await cache.get(version);
        started = performance.now();
        const { packets, bytes } = await part.play(
          sdk,
          runtime,
          own,
          (version) => cache.get(version),
        );
        const megabytes = (bytes / 1e6).toFixed(2).padStart(6);
        console.log(
          `${name} ${String(packets).padStart(5)} packets ${megabytes} MB ${seconds()}  ok`,
        );
        await rm(own, { recursive: true, force: true });
      } catch (error) {
        failed++;
        console.log(`${name} ${seconds()}  FAILED: ${(error as Error).message} (see ${own})`);
      }
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return failed;
}

const { versions, runtimes, jobs, only, rounds, kills } = options();
const combinations = versions.flatMap((version) =>
  PARTS.filter((part) => part.versions?.includes(version) ?? true)
    .filter((part) => only === undefined || part.name === only)
    .flatMap((part) => runtimes.map((runtime) => ({ version, runtime, part })))
);
let folder: string | undefined;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    killAll();
    if (folder) rmSync(folder, { recursive: true, force: true });
    process.exit(1);
  });
}
let failed = combinations.length;
try {
  const cache = new SdkCache(cacheFolder(), await findPython());
  folder = await mkdtemp(join(tmpdir(), "rerelay-conformance-"));
  failed = await runAll(combinations, cache, jobs, folder);
  if (failed === 0) await rm(folder, { recursive: true, force: true });
} catch (error) {
  console.error((error as Error).message);
} finally {
  killAll();
}
console.log(`${combinations.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
