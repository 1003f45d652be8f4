/**
 * Builds the executable for this machine and uses it where there is nothing else: in an empty folder,
 * without variables, and with no network but loopback, with real SDKs, a real Chromium and Rerun's own
 * CLI beside it.
 *
 * `deno run -A tests/executable/run.ts [--only TEXT]`
 */
import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "@std/cli";
import { findChromium } from "../browser/chromium.ts";
import { killAll, run, within } from "../conformance/child.ts";
import { findPython } from "../conformance/python.ts";
import { cacheFolder, type Sdk, SdkCache } from "../conformance/sdk_cache.ts";
import { Room } from "./room.ts";
import { SCENARIOS } from "./scenarios.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const TARGET = `${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
const EXECUTABLE = join(ROOT, "dist", `rerelay-${TARGET}`);
const BUILD_MS = 120_000;
const SCENARIO_MS = 150_000;
const EXIT_USAGE = 2;
/** Said to the run of this script that has no network any more. */
const INSIDE = "--inside";

/** What `unshare` is asked for: as root, or as a user who is root in there alone. */
const WAYS = [["-n"], ["-rn"]];
/** Runs the arguments behind it with loopback. */
const WITH_LOOPBACK = 'ip link set lo up && exec "$0" "$@"';

/** How a command is started without the network, if this machine allows that. */
function aloneCommand(): readonly string[] | undefined {
  const commands = WAYS.map((way) => ["unshare", ...way, "sh", "-c", WITH_LOOPBACK]);
  return commands.find(([program, ...args]) => spawnSync(program!, [...args, "true"]).status === 0);
}

async function playAll(only: string): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "rerelay-executable-"));
  let [passed, failed] = [0, 0];
  try {
    const cache = new SdkCache(cacheFolder(), await findPython());
    const [older, today]: Sdk[] = [await cache.get("0.22.1"), await cache.get("0.41.0")];
    const room = await Room.make(folder, EXECUTABLE);
    const executable = EXECUTABLE;
    const props = {
      room,
      executable,
      older: older!,
      today: today!,
      chromium: await findChromium(),
    };
    for (const { name, play } of SCENARIOS.filter(({ name }) => name.includes(only))) {
      const start = performance.now();
      const seconds = () => `${((performance.now() - start) / 1000).toFixed(1)} s`;
      try {
        await within(SCENARIO_MS, name, play(props));
        passed++;
        console.log(`ok     ${name} ${seconds()}`);
      } catch (error) {
        failed++;
        console.log(`FAILED ${name} ${seconds()}: ${(error as Error).stack}`);
      }
    }
  } finally {
    killAll();
    await rm(folder, { recursive: true, force: true });
  }
  const skipped = process.argv.includes(INSIDE) ? 0 : 1;
  console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""}`);
  return failed + (passed === 0 ? 1 : 0);
}

const args = parseArgs(process.argv.slice(2), {
  string: ["only"],
  boolean: [INSIDE.slice(2)],
  unknown: (arg) => {
    console.error(`There is no ${arg}. Options: --only TEXT`);
    process.exit(EXIT_USAGE);
  },
});
if (!args.inside) {
  // All that comes from elsewhere, before there is no elsewhere.
  const build = [process.execPath, "run", "-A", join(ROOT, "tools/build.mjs"), TARGET];
  console.log((await run(build, { ms: BUILD_MS })).stdout.trim());
  const cache = new SdkCache(cacheFolder(), await findPython());
  for (const version of ["0.22.1", "0.41.0"]) await cache.get(version);
  await findChromium();
  const alone = aloneCommand();
  if (alone !== undefined) {
    const script = fileURLToPath(import.meta.url);
    const [program, ...before] = alone;
    const command = [process.execPath, "run", "-A", script, INSIDE, ...process.argv.slice(2)];
    const { status } = spawnSync(program!, [...before, ...command], { stdio: "inherit" });
    process.exit(status ?? 1);
  }
  console.log("Skipped: to be without a network (unshare -n and ip are not allowed or not there)");
}
process.exit(await playAll(String(args.only ?? "")) === 0 ? 0 : 1);
