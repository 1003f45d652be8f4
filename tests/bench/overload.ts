/**
 * How a server does whose receiver is too slow, on Deno and on Bun; ends with 1 if a check fails:
 *
 *     deno run -A tests/bench/overload.ts [--seconds 60] [--runtimes deno,bun] [--only slow] [--parallel]
 *
 * A run of all scenarios on both runtimes draws docs/overload.svg anew.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "@std/cli";
import { plot } from "./overload_plot.ts";
import { type Result, runOverload, type Runtime } from "./overload_runs.ts";
import { lastDropSec, type Scenario, scenarios, steadyAge } from "./overload_scenarios.ts";

const COLUMNS = [
  "runtime",
  "scenario",
  "logged MB/s",
  "latency",
  "quiet latency",
  "accept rate",
  "throttled",
  "overflow",
  "quiet lost",
  "last drop",
  "RSS growth",
];
const PLOT = new URL("../../docs/overload.svg", import.meta.url);

function row(runtime: Runtime, { name, overload }: Scenario, result: Result): string {
  const { logged, dropped, samples, seen, emptySec, grownKiB } = result;
  const [first, second] = logged;
  const { dataBytes } = overload.clients[0]!;
  const percent = (part: number) => `${(100 * part / first!.messages).toFixed(1)} %`;
  const end = samples.at(-1)!.sec;
  const rates = samples.filter(({ sec }) => sec > end * 2 / 3).map(({ acceptRate }) => acceptRate);
  const rate = rates.reduce((sum, each) => sum + each, 0) / rates.length;
  const last = lastDropSec(result);
  return [
    runtime,
    name,
    (first!.messages * dataBytes / 1e6 / first!.seconds).toFixed(1),
    overload.receiving.maxLatencySec === null ? "" : `${steadyAge(result, 0, 1 / 3).toFixed(3)} s`,
    second ? `${steadyAge(result, 1, 1).toFixed(3)} s` : "",
    rate.toFixed(3),
    percent(dropped.throttled),
    percent(dropped.overflow),
    second ? `${second.messages - seen[1]!.messages} of ${second.messages}` : "",
    last === 0 || emptySec === null ? "" : `${(last - emptySec).toFixed(1)} s after empty`,
    `${(grownKiB / 1024).toFixed(0)} MiB`,
  ].join(" | ");
}

const args = parseArgs(process.argv.slice(2), {
  string: ["seconds", "runtimes", "only"],
  boolean: ["parallel"],
  unknown: (arg) => {
    console.error(`There is no ${arg}: --seconds N, --runtimes deno,bun, --only NAME, --parallel`);
    process.exit(2);
  },
});
const runtimes = String(args.runtimes ?? "deno,bun").split(",") as Runtime[];
const only = args.only as string | undefined;
const chosen = scenarios(Number(args.seconds ?? 60))
  .filter(({ name }) => only === undefined || name.startsWith(only));
const results: { readonly runtime: Runtime; readonly name: string; readonly result: Result }[] = [];
const failures: string[] = [];

async function runAll(runtime: Runtime): Promise<void> {
  for (const scenario of chosen) {
    const { name, overload } = scenario;
    const result = await runOverload(overload, runtime);
    results.push({ runtime, name, result });
    console.log(row(runtime, scenario, result));
    for (const fault of scenario.check(result)) failures.push(`${runtime}, ${name}: ${fault}`);
  }
}

console.log(COLUMNS.join(" | "));
if (args.parallel) await Promise.all(runtimes.map(runAll));
else for (const runtime of runtimes) await runAll(runtime);

if (only === undefined && runtimes.length === 2) {
  mkdirSync(new URL(".", PLOT), { recursive: true });
  const curves = (start: string) =>
    runtimes.map((runtime) => ({
      label: runtime === "deno" ? "Deno" : "Bun",
      samples: results.find((run) => run.runtime === runtime && run.name.startsWith(start))!
        .result.samples,
    }));
  writeFileSync(
    PLOT,
    plot([
      { title: "Receiver takes 5 of 50 MB/s", curves: curves("slow, limit 64") },
      { title: "Receiver stalled for 10 s, then takes all", curves: curves("stalled") },
    ]),
  );
}
for (const failure of failures) console.error(`FAILED ${failure}`);
process.exit(failures.length > 0 ? 1 : 0);
