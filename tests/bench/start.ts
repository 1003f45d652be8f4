/**
 * How long the command line takes from its start until it listens, beside a program that only does
 * that:
 *
 *     deno run -A tests/bench/start.ts [--rounds 15]
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { scriptArgs } from "../script_args.ts";
import { median } from "./figures.ts";

const CLI = ["cli.ts", "--port", "0"];
const CONTROL = ["tests/bench/start_control.ts"];
const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const { rounds } = scriptArgs({ rounds: 15 }).numbers;

/** Milliseconds until the program says that it hosts. */
async function measure(command: string, args: readonly string[]): Promise<number> {
  const began = performance.now();
  const child = spawn(command, args, { cwd: ROOT, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  for await (const text of child.stderr) {
    said += text;
    if (said.includes("Hosting")) break;
  }
  const ms = performance.now() - began;
  child.kill("SIGKILL");
  await once(child, "exit");
  if (!said.includes("Hosting")) throw new Error(`${command} ${args.join(" ")} ended: ${said}`);
  return ms;
}

const rows = ([["deno", ["run", "-A", "--cached-only"]], ["bun", []]] as const)
  .flatMap(([runtime, options]) =>
    ([["command line", CLI], ["only listens", CONTROL]] as const).map(([what, program]) => ({
      name: `${runtime}, ${what}`,
      run: () => measure(runtime, [...options, ...program]),
      times: [] as number[],
    }))
  );
// The first fills caches; then they take turns.
for (const { run } of rows) await run();
for (let round = 0; round < rounds; round++) {
  for (const { run, times } of rows) times.push(await run());
}
console.log(`ready after, ms: median of ${rounds} (lowest to highest)`);
for (const { name, times } of rows) {
  const [least, most] = [Math.min(...times), Math.max(...times)].map((ms) => ms.toFixed(0));
  console.log(`${name.padEnd(24)}${median(times).toFixed(0).padStart(5)} (${least}–${most})`);
}
