/**
 * Mutated HTTP/2 frames, on the runtime that runs this:
 *
 *     deno run -A tests/fuzz/h2.ts [--cases 1000000] [--seed S] [--case N]
 *     bun tests/fuzz/h2.ts
 */
import process from "node:process";
import { detectRuntime } from "../../lib/adapters/runtime.ts";
import { scriptArgs } from "../script_args.ts";
import { newH2Tally, runH2Case } from "./h2_cases.ts";

/** Cases between two signs of life. */
const STEP = 100_000;

const { seed, only, numbers: { cases } } = scriptArgs({ cases: 1_000_000 });
const what = only === undefined ? `${cases} mutated conversations` : `conversation ${only}`;
console.log(`${detectRuntime()}: ${what} in HTTP/2, seed ${seed}`);
const tally = newH2Tally();
const start = performance.now();
const seconds = () => ((performance.now() - start) / 1000).toFixed(0);
let index = only ?? 0;
try {
  const end = only === undefined ? cases : only + 1;
  for (; index < end; index++) {
    runH2Case(seed, index, tally);
    if ((index + 1) % STEP === 0) console.log(`  ${index + 1} after ${seconds()} s`);
  }
  console.log(`  ${seconds()} s, ${JSON.stringify(tally)}`);
} catch (error) {
  console.error(`  FAILED: --seed ${seed} --case ${index}: ${(error as Error).stack}`);
  process.exitCode = 1;
}
