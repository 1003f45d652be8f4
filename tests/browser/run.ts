/**
 * Looks at the page in a real Chromium while real SDKs log, with the command line on Deno and on Bun.
 *
 * `deno run -A tests/browser/run.ts [--runtimes deno,bun] [--only TEXT] [--screenshots docs] [--jobs 2]`
 *
 * Scenarios run one after the other: of two at once, which draw without a graphics card, one in fifty waits
 * longer for its picture than it may. `--jobs` is for machines with more processors than two.
 */
import process from "node:process";
import { parseArgs } from "@std/cli";
import { killAll } from "../conformance/child.ts";
import type { Runtime } from "../conformance/cli_process.ts";
import { findPython } from "../conformance/python.ts";
import { cacheFolder, SdkCache } from "../conformance/sdk_cache.ts";
import { findChromium } from "./chromium.ts";
import type { Scenario } from "./scenario.ts";
import { SCENARIOS } from "./scenarios.ts";

/** No scenario takes so long unless it hangs. */
const DEADLINE_MS = 120_000;
const EXIT_USAGE = 2;

const args = parseArgs(process.argv.slice(2), {
  string: ["runtimes", "only", "screenshots", "jobs"],
  unknown: (arg) => {
    console.error(
      `There is no ${arg}. Options: --runtimes deno,bun --only TEXT --screenshots docs --jobs 2`,
    );
    process.exit(EXIT_USAGE);
  },
});
const runtimes = String(args.runtimes ?? "deno,bun").split(",") as Runtime[];
const scenarios = SCENARIOS.filter(({ name, onRequest }) =>
  args.only === undefined ? onRequest === undefined : name.includes(String(args.only))
);
const screenshots = args.screenshots === undefined ? {} : { screenshots: String(args.screenshots) };
const jobs = Number(args.jobs ?? 1);
let passed = 0;
let failed = 0;
try {
  if (!Number.isInteger(jobs) || jobs < 1) throw new Error("--jobs takes a number from 1");
  const chromium = await findChromium();
  const cache = new SdkCache(cacheFolder(), await findPython());
  const queue = scenarios.flatMap((scenario) =>
    runtimes.filter((runtime) => (scenario.only ?? runtime) === runtime)
      .map((runtime) => ({ runtime, scenario }))
  ).values();
  const work = async () => {
    for (const { runtime, scenario } of queue) await playOne(runtime, scenario, chromium, cache);
  };
  await Promise.all(Array.from({ length: jobs }, work));
} catch (error) {
  failed++;
  console.error((error as Error).message);
} finally {
  killAll();
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

async function playOne(
  runtime: Runtime,
  { name, deadlineMs = DEADLINE_MS, play }: Scenario,
  chromium: string,
  cache: SdkCache,
): Promise<void> {
  const start = performance.now();
  const line = `${runtime.padEnd(4)} ${name}`;
  const seconds = () => `${((performance.now() - start) / 1000).toFixed(1)} s`;
  let timer;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("it takes too long")), deadlineMs);
  });
  try {
    const sdk = (version: string) => cache.get(version);
    await Promise.race([play({ runtime, chromium, sdk, ...screenshots }), late]);
    passed++;
    console.log(`${line} ${seconds()}  ok`);
  } catch (error) {
    failed++;
    console.log(`${line} ${seconds()}  FAILED: ${(error as Error).stack}`);
  } finally {
    clearTimeout(timer);
  }
}
