/**
 * Mutated packets of all captures through the decoder, on the runtime that runs this:
 *
 *     deno run -A tests/fuzz/packets.ts [--cases 1000000] [--seed S] [--case N]
 *     bun tests/fuzz/packets.ts
 *
 * The cases run in a process of their own, so that even one that ends it, or never ends, is told.
 */
import process from "node:process";
import { detectRuntime } from "../../lib/adapters/runtime.ts";
import { say, startChild } from "../contract/child.ts";
import { scriptArgs } from "../script_args.ts";
import { newTally, runCase, type Tally } from "./packet_cases.ts";

/** Cases between two signs of life. */
const STEP = 1000;
/** Without one for so long, a case hangs. */
const SILENT_MS = 20_000;

const { seed, only, numbers } = scriptArgs({ cases: 1_000_000, from: 0, child: 0 });
if (only !== undefined) {
  const tally = newTally();
  runCase(seed, only, tally);
  console.log(`seed ${seed}, case ${only}:`, JSON.stringify(tally));
} else if (numbers.child) work(numbers.from, numbers.cases);
else await watch();

function work(from: number, cases: number): void {
  const tally = newTally();
  try {
    for (let index = from; index < cases; index++) {
      runCase(seed, index, tally);
      if ((index + 1) % STEP === 0) say({ tally });
    }
    say({ tally, done: true });
  } catch (error) {
    say({ tally, error: (error as Error).stack });
    process.exitCode = 1;
  }
}

async function watch(): Promise<void> {
  console.log(`${detectRuntime()}: ${numbers.cases} mutated packets, seed ${seed}`);
  const args = ["--seed", seed, "--from", numbers.from, "--cases", numbers.cases, "--child", 1];
  const child = startChild(new URL(import.meta.url), args.map(String));
  const start = performance.now();
  let done = numbers.from;
  try {
    for (;;) {
      const { tally, error, ...rest } = await inTime(
        child.next<{ tally: Tally; error?: string; done?: boolean }>(),
        `no sign of life; it is case ${done} to ${done + STEP - 1}`,
      );
      if (error !== undefined) throw new Error(error);
      done = numbers.from + tally.cases;
      if (!rest.done) continue;
      const seconds = ((performance.now() - start) / 1000).toFixed(0);
      console.log(`  ${seconds} s, slowest case ${tally.slowestMs.toFixed(1)} ms`);
      console.log(`  ${tally.decoded} decoded all the same, ${JSON.stringify(tally.errors)}`);
      return;
    }
  } catch (error) {
    console.error(`  FAILED after case ${done - 1}, seed ${seed}: ${(error as Error).message}`);
    process.exitCode = 1;
  } finally {
    await child.stop();
  }
}

function inTime<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(what)), SILENT_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
