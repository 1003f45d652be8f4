/**
 * Runs the long scripts, on each runtime:
 *
 *     deno run -A tests/long_forms.ts fuzz|hostile [--only packets] [--runtimes deno,bun] [OPTION …]
 *     deno run -A tests/long_forms.ts fuzz --ci [--only leftover] [--runtimes deno,bun]
 *
 * Other options, such as `--seed 1 --case 7`, go to the scripts. `--ci` runs the tests that try many
 * cases instead, with all of those that `.ci/run` takes, on both runtimes side by side where
 * neither time nor memory is measured; `npm test` takes the first of them.
 */
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "@std/cli";

const SCRIPTS: Readonly<Record<string, readonly string[]>> = {
  fuzz: [
    "fuzz/packets",
    "fuzz/splits",
    "fuzz/connections",
    "fuzz/recover",
    "fuzz/verify",
    "fuzz/bridge",
    "fuzz/chunks",
    "fuzz/h2",
    "fuzz/leftovers",
  ],
  hostile: [
    "soak/liars",
    "soak/attacks",
    "soak/idle",
    "soak/idle_h2",
    "soak/slow",
    "soak/many",
    "soak/stops",
    "soak/reconnect",
  ],
};
/** Tests of times and of a whole process's memory: beside nothing else. */
const MEASURES = /^soak\/|memory/;
/** Nothing here takes so long unless it hangs. */
const DEADLINE_MS = 30 * 60_000;

const [suite = "", ...rest] = process.argv.slice(2);
const args = parseArgs(rest, { string: ["only", "runtimes"], boolean: ["ci"] });
const isCi = suite === "fuzz" && args["ci"] === true;
const only = args["only"] as string | undefined;
const runtimes = (args["runtimes"] as string | undefined ?? "deno,bun").split(",");
const known = isCi ? testsOfManyCases() : SCRIPTS[suite] ?? [];
const scripts = known.filter((name) => only === undefined || name.endsWith(`/${only}`));
if (scripts.length === 0) {
  const all = Object.entries({ ...SCRIPTS, "fuzz --ci": testsOfManyCases() })
    .map(([name, scripts]) => `${name} (${scripts.join(", ")})`);
  console.error(`There are ${all.join(" and ")}`);
  process.exit(2);
}
const own = ["only", "runtimes"];
const passedOn = rest.filter((arg, i) =>
  !own.some((name) => arg.startsWith(`--${name}`) || rest[i - 1] === `--${name}`)
);
const counts = { passed: 0, failed: 0 };
const failed: string[] = [];
for (const script of scripts) {
  if (isCi && !MEASURES.test(script)) {
    await Promise.all(runtimes.map((runtime) => play(script, runtime)));
  } else for (const runtime of runtimes) await play(script, runtime);
}
if (failed.length > 0) console.log(`FAILED: ${failed.join(", ")}`);
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed ? 1 : 0;

async function play(script: string, runtime: string): Promise<void> {
  const command = isCi ? testOf(runtime, script) : scriptOf(runtime, script);
  const hasPassed = await run(runtime, command);
  counts[hasPassed ? "passed" : "failed"]++;
  if (!hasPassed) failed.push(`${script} on ${runtime}`);
}

function scriptOf(runtime: string, script: string): string[] {
  const before = runtime === "deno" ? ["run", "-A", "--no-check"] : [];
  return [...before, pathOf(`${script}.ts`), ...passedOn];
}

function testOf(runtime: string, test: string): string[] {
  const before = runtime === "deno" ? ["-A", "--no-check"] : ["--timeout=600000"];
  return ["test", ...before, pathOf(`${test}_test.ts`)];
}

/** Tests that take more cases here than in `npm test`. */
function testsOfManyCases(): string[] {
  return (readdirSync(pathOf("."), { recursive: true }) as string[]).sort()
    .filter((path) => path.endsWith("_test.ts"))
    .filter((path) => readFileSync(pathOf(path), "utf8").includes('/counts.ts"'))
    .map((path) => path.slice(0, -"_test.ts".length));
}

function pathOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

function run(command: string, args: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    const env = { ...process.env, ...(isCi && { RERELAY_FUZZ: "ci" }) };
    const child = spawn(command, args, {
      stdio: isCi ? ["inherit", "pipe", "pipe"] : "inherit",
      timeout: DEADLINE_MS,
      env,
    });
    // Shown as a whole once it is over: beside it the other runtime writes, too.
    const output: Uint8Array[] = [];
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (b) => output.push(b));
    child.once("error", (error) => {
      console.error(`${command}: ${error.message}`);
      resolve(false);
    });
    child.once("close", (code) => {
      for (const bytes of output) process.stdout.write(bytes);
      resolve(code === 0);
    });
  });
}
