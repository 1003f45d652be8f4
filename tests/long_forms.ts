/**
 * Runs the long scripts one after the other, on each runtime:
 *
 *     deno run -A tests/long_forms.ts fuzz|hostile [--only packets] [--runtimes deno,bun] [OPTION …]
 *
 * Other options, such as `--seed 1 --case 7`, go to the scripts.
 */
import { spawn } from "node:child_process";
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
    "soak/slow",
    "soak/many",
    "soak/stops",
    "soak/reconnect",
  ],
};
/** Nothing here takes so long unless it hangs. */
const DEADLINE_MS = 30 * 60_000;

const [suite = "", ...rest] = process.argv.slice(2);
const args = parseArgs(rest, { string: ["only", "runtimes"] });
const only = args["only"] as string | undefined;
const runtimes = (args["runtimes"] as string | undefined ?? "deno,bun").split(",");
const scripts = (SCRIPTS[suite] ?? []).filter((name) =>
  only === undefined || name.endsWith(`/${only}`)
);
if (scripts.length === 0) {
  const known = Object.entries(SCRIPTS).map(([name, all]) => `${name} (${all.join(", ")})`);
  console.error(`There are ${known.join(" and ")}`);
  process.exit(2);
}
const own = ["only", "runtimes"];
const passedOn = rest.filter((arg, i) =>
  !own.some((name) => arg.startsWith(`--${name}`) || rest[i - 1] === `--${name}`)
);
const counts = { passed: 0, failed: 0 };
for (const script of scripts) {
  const path = fileURLToPath(new URL(`${script}.ts`, import.meta.url));
  for (const runtime of runtimes) {
    const before = runtime === "deno" ? ["run", "-A", "--no-check"] : [];
    counts[await run(runtime, [...before, path, ...passedOn]) ? "passed" : "failed"]++;
  }
}
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed ? 1 : 0;

function run(command: string, args: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: "inherit", timeout: DEADLINE_MS });
    child.once("error", (error) => {
      console.error(`${command}: ${error.message}`);
      resolve(false);
    });
    child.once("exit", (code) => resolve(code === 0));
  });
}
