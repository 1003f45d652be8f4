/**
 * Damaged recordings of all encodings through the recovering scanner, on the runtime that runs this:
 *
 *     deno run -A tests/fuzz/recover.ts [--cases 10000] [--seed S] [--case N]
 *     bun tests/fuzz/recover.ts
 */
import process from "node:process";
import { detectRuntime } from "../../lib/adapters/runtime.ts";
import { scriptArgs } from "../script_args.ts";
import { newRecoverTally, runRecoverCase } from "./recover_cases.ts";

const { seed, only, numbers: { cases } } = scriptArgs({ cases: 10_000 });
const tally = newRecoverTally();
const start = performance.now();
try {
  if (only !== undefined) runRecoverCase(seed, only, tally);
  else {
    console.log(`${detectRuntime()}: ${cases} damaged recordings, seed ${seed}`);
    for (let index = 0; index < cases; index++) runRecoverCase(seed, index, tally);
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(`  ${seconds} s, ${JSON.stringify(tally)}`);
} catch (error) {
  console.error(`  FAILED after ${tally.cases} cases: ${(error as Error).message}`);
  process.exitCode = 1;
}
