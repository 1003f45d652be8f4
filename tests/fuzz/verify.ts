/**
 * Damaged files of all encodings through `rrd verify --strict` and `rrd merge`, on the runtime that
 * runs this:
 *
 *     deno run -A tests/fuzz/verify.ts [--cases 10000] [--seed S] [--case N]
 *     bun tests/fuzz/verify.ts
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { detectRuntime } from "../../lib/adapters/runtime.ts";
import { scriptArgs } from "../script_args.ts";
import { newVerifyTally, runVerifyCase } from "./verify_cases.ts";

const { seed, only, numbers: { cases } } = scriptArgs({ cases: 10_000 });
const tally = newVerifyTally();
const folder = mkdtempSync(join(tmpdir(), "rerelay-verify-"));
const start = performance.now();
try {
  if (only !== undefined) await runVerifyCase(seed, only, tally, folder);
  else {
    console.log(`${detectRuntime()}: ${cases} damaged files, seed ${seed}`);
    for (let index = 0; index < cases; index++) await runVerifyCase(seed, index, tally, folder);
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(`  ${seconds} s, ${JSON.stringify(tally)}`);
} catch (error) {
  console.error(`  FAILED after ${tally.cases} cases: ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
