/**
 * What more work costs: throughput with 1 to 256 clients, memory with up to 10,000 idle ones, and how
 * long a late viewer takes to catch up with 10 to 1,000 MB; `--write` draws docs/growth.svg of it.
 *
 *     deno run -A tests/bench/growth.ts [--rounds 3] [--write]
 */
import { writeFile } from "node:fs/promises";
import process from "node:process";
import { parseArgs } from "@std/cli";
import { median } from "./figures.ts";
import { catchUp } from "./growth_history.ts";
import { growthPlot, type Panel } from "./growth_plot.ts";
import { idleMemory } from "./idle_clients.ts";
import { machine } from "./machine.ts";
import { measure } from "./receive_runs.ts";
import { recording } from "./recordings.ts";

const RUNTIMES = ["deno", "bun"] as const;
const PICTURE = new URL("../../docs/growth.svg", import.meta.url);

const args = parseArgs(process.argv.slice(2), { string: ["rounds"], boolean: ["write"] });
const rounds = Number(args["rounds"] ?? 3);

/** Medians of both runtimes, one a step; whatever else the machine does falls on all alike. */
async function panel(
  what: Pick<Panel, "title" | "unit" | "log">,
  steps: readonly number[],
  times: number,
  run: (runtime: "deno" | "bun", step: number) => Promise<number>,
): Promise<Panel> {
  const found = { deno: steps.map((): number[] => []), bun: steps.map((): number[] => []) };
  for (let round = 0; round < times; round++) {
    for (const [i, step] of steps.entries()) {
      for (const runtime of RUNTIMES) found[runtime][i]!.push(await run(runtime, step));
    }
  }
  const values = { deno: found.deno.map(median), bun: found.bun.map(median) };
  console.log(`${what.title}, ${what.unit}, median of ${times}`);
  console.log(["", ...steps].map((step) => String(step).padStart(8)).join(""));
  for (const runtime of RUNTIMES) {
    const cells = values[runtime].map((value) => String(Number(value.toPrecision(3))).padStart(8));
    console.log(runtime.padEnd(8) + cells.join(""));
  }
  return { ...what, steps: steps.map(String), values };
}

const stream = await recording("small");
const none = { peer: undefined, rerun: undefined, file: "" };
const clients = await panel(
  { title: "Clients at once: throughput", unit: "MB/s" },
  [1, 4, 16, 64, 256],
  rounds,
  async (runtime, clients) =>
    stream.bytes / 1e6 / (await measure({ runtime, what: "server", clients }, stream, none)).sec,
);
const idle = await panel(
  { title: "Idle clients: memory", unit: "MiB" },
  [0, 1000, 10_000],
  1,
  async (runtime, count) => (await idleMemory(count, runtime)).withKiB / 1024,
);
const history = await panel(
  { title: "Late viewer, by MB of history", unit: "s", log: true },
  [10, 100, 1000],
  rounds,
  catchUp,
);
if (args["write"]) {
  await writeFile(PICTURE, growthPlot([clients, idle, history], await machine()));
}
process.exit();
