/**
 * How old messages are when they come out of the middle, with 10 to 1,000 boxes, on both runtimes:
 * `deno run -A tests/bench/fleet_lag.ts [--boxes 10,30,100,300,500,1000] [--seconds 12] [--rounds 1]
 * [--results FILE] [--write]`.
 *
 * Each size is a run of tests/fleet/lag.ts. What was measured is kept in the file of `--results`, so
 * that sizes can be measured one after the other; `--write` draws docs/fleet-lag.svg of all of it.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "@std/cli";
import { median } from "./figures.ts";
import { growthPlot, type Panel } from "./growth_plot.ts";
import { machine } from "./machine.ts";

const LAG = fileURLToPath(new URL("../fleet/lag.ts", import.meta.url));
const PICTURE = new URL("../../docs/fleet-lag.svg", import.meta.url);
const RUNTIMES = ["deno", "bun"] as const;
/** So many boxes are simulated by one program at most. */
const BOXES_A_PROGRAM = 500;

interface Run {
  readonly runtime: typeof RUNTIMES[number];
  readonly boxes: number;
  readonly seconds: number;
  readonly p50: number;
  readonly p99: number;
  readonly cpuSec: Readonly<Record<string, number>>;
}

function measure(runtime: Run["runtime"], boxes: number, seconds: number): Run {
  const programs = Math.ceil(boxes / BOXES_A_PROGRAM);
  const sizes = ["--boxes", boxes, "--programs", programs, "--seconds", seconds].map(String);
  const run = runtime === "bun" ? [LAG] : ["run", "-A", "--no-check", "--quiet", LAG];
  const { stdout, status } = spawnSync(runtime, [...run, ...sizes], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0 || !stdout.startsWith("{")) throw new Error(`${runtime}: ${status} ${stdout}`);
  return { runtime, seconds, ...JSON.parse(stdout) };
}

function panelsOf(runs: readonly Run[]): Panel[] {
  const steps = [...new Set(runs.map(({ boxes }) => boxes))].sort((a, b) => a - b);
  const values = (value: (run: Run) => number) => {
    const of = (runtime: Run["runtime"]) =>
      steps.map((boxes) =>
        median(runs.filter((run) => run.runtime === runtime && run.boxes === boxes).map(value))
      );
    return { deno: of("deno"), bun: of("bun") };
  };
  const cores = ({ cpuSec, seconds }: Run) =>
    Object.values(cpuSec).reduce((sum, sec) => sum + sec, 0) / seconds;
  const names = { steps: steps.map((boxes) => boxes.toLocaleString("en")) };
  return [
    {
      ...names,
      title: "Lag p99 by boxes",
      unit: "ms",
      values: values(({ p99 }) => p99),
      log: true,
    },
    { ...names, title: "Median lag", unit: "ms", values: values(({ p50 }) => p50), log: true },
    { ...names, title: "Processors taken by all", unit: "cores", values: values(cores) },
  ];
}

const args = parseArgs(process.argv.slice(2), {
  string: ["boxes", "seconds", "rounds", "results"],
  boolean: ["write"],
});
const given = (name: string, otherwise: string) => String(args[name] ?? otherwise);
const path = given("results", "");
const runs: Run[] = path && existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : [];
const sizes = given("boxes", "10,30,100,300,500,1000");
for (let round = 0; round < Number(given("rounds", "1")); round++) {
  for (const boxes of sizes === "" ? [] : sizes.split(",").map(Number)) {
    for (const runtime of RUNTIMES) {
      const run = measure(runtime, boxes, Number(given("seconds", "12")));
      console.log(JSON.stringify(run));
      runs.push(run);
      if (path) writeFileSync(path, JSON.stringify(runs));
    }
  }
}
if (args["write"]) {
  writeFileSync(PICTURE, growthPlot(panelsOf(runs), await machine(), "Lag of a fleet by its size"));
}
