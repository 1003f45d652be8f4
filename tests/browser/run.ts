/**
 * Looks at the page in a real Chromium while real SDKs log, with the command line on Deno and on Bun.
 *
 * `deno run -A tests/browser/run.ts [--runtimes deno,bun] [--only TEXT] [--screenshots docs]`
 */
import process from "node:process";
import { parseArgs } from "@std/cli";
import { killAll } from "../conformance/child.ts";
import type { Runtime } from "../conformance/cli_process.ts";
import { findPython } from "../conformance/python.ts";
import { cacheFolder, SdkCache } from "../conformance/sdk_cache.ts";
import { findChromium } from "./chromium.ts";
import { SCENARIOS } from "./scenarios.ts";

/** No scenario takes so long unless it hangs. */
const DEADLINE_MS = 120_000;
const EXIT_USAGE = 2;

const args = parseArgs(process.argv.slice(2), {
  string: ["runtimes", "only", "screenshots"],
  unknown: (arg) => {
    console.error(
      `There is no ${arg}. Options: --runtimes deno,bun --only TEXT --screenshots docs`,
    );
    process.exit(EXIT_USAGE);
  },
});
const runtimes = String(args.runtimes ?? "deno,bun").split(",") as Runtime[];
const scenarios = SCENARIOS.filter(({ name, onRequest }) =>
  args.only === undefined ? onRequest === undefined : name.includes(String(args.only))
);
const screenshots = args.screenshots === undefined ? {} : { screenshots: String(args.screenshots) };
let passed = 0;
let failed = 0;
try {
  const chromium = await findChromium();
  const cache = new SdkCache(cacheFolder(), await findPython());
  for (const runtime of runtimes) {
    for (const { name, only = runtime, deadlineMs = DEADLINE_MS, play } of scenarios) {
      if (only !== runtime) continue;
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
  }
} catch (error) {
  failed++;
  console.error((error as Error).message);
} finally {
  killAll();
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
