/**
 * Damaged files of all encodings as leftovers of a server that starts, and through `rrd recover`, on the runtime that
 * runs this:
 *
 *     deno run -A tests/fuzz/leftovers.ts [--cases 10000] [--seed S] [--case N]
 *     bun tests/fuzz/leftovers.ts
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { detectRuntime } from "../../lib/adapters/runtime.ts";
import { scriptArgs } from "../script_args.ts";
import { newLeftoverTally, runLeftoverCase, runRecoverCommand } from "./leftover_cases.ts";

const { seed, only, numbers: { cases } } = scriptArgs({ cases: 10_000 });
const tally = newLeftoverTally();
const folder = mkdtempSync(join(tmpdir(), "rerelay-leftovers-"));
async function run(index: number): Promise<void> {
  await runLeftoverCase(seed, index, tally);
  await runRecoverCommand(seed, index, folder);
}

const start = performance.now();
try {
  if (only !== undefined) await run(only);
  else {
    console.log(`${detectRuntime()}: ${cases} damaged files, seed ${seed}`);
    for (let index = 0; index < cases; index++) await run(index);
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(`  ${seconds} s, ${JSON.stringify(tally)}`);
} catch (error) {
  console.error(`  FAILED after ${tally.cases} cases: ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
