/**
 * Messages with mutated Arrow data through `chunks()`, every column read, on the runtime that runs this:
 *
 *     deno run -A tests/fuzz/chunks.ts [--cases 1000000] [--seed S] [--case N]
 *     bun tests/fuzz/chunks.ts
 */
import process from "node:process";
import { detectRuntime } from "../../lib/adapters/runtime.ts";
import { scriptArgs } from "../script_args.ts";
import { newChunkTally, runChunkCase } from "./chunk_cases.ts";

const { seed, only, numbers } = scriptArgs({ cases: 1_000_000 });
const tally = newChunkTally();
console.log(`${detectRuntime()}: ${only === undefined ? numbers.cases : 1} messages, seed ${seed}`);
if (only !== undefined) runChunkCase(seed, only, tally);
else {
  for (let index = 0; index < numbers.cases; index++) {
    runChunkCase(seed, index, tally);
    if ((index + 1) % Math.ceil(numbers.cases / 10) !== 0) continue;
    const { rss } = process.memoryUsage();
    console.log(`  ${index + 1} cases, ${Math.round(rss / 2 ** 20)} MiB of memory`);
  }
}
console.log(`  ${JSON.stringify(tally)}`);
