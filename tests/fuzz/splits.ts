/**
 * Valid streams cut anywhere, on the runtime that runs this; a failure says its case and shrinks it:
 *
 *     deno run -A tests/fuzz/splits.ts [--cases 100000] [--seed S] [--case N]
 *     bun tests/fuzz/splits.ts
 */
import process from "node:process";
import fc from "fast-check";
import { detectRuntime } from "../../lib/adapters/runtime.ts";
import { scriptArgs } from "../script_args.ts";
import { SPLITS_AND_PREFIXES } from "./split_cases.ts";

const { seed, only, numbers: { cases } } = scriptArgs({ cases: 100_000 });
const what = only === undefined ? `${cases} splits` : `split ${only}`;
console.log(`${detectRuntime()}: ${what} of valid streams, seed ${seed}`);
const start = performance.now();
const { failed, numRuns, counterexamplePath, error, errorInstance } = fc.check(
  SPLITS_AND_PREFIXES,
  only === undefined ? { seed, numRuns: cases } : { seed, path: String(only), numRuns: 1 },
) as fc.RunDetails<unknown> & { error?: string };
const seconds = ((performance.now() - start) / 1000).toFixed(0);
if (failed) {
  const [index] = counterexamplePath!.split(":");
  console.error(`  FAILED: --seed ${seed} --case ${index}: ${error ?? errorInstance}`);
  process.exitCode = 1;
} else console.log(`  ${numRuns} hold, ${seconds} s`);
