/**
 * Single steps of receiving over bytes in memory, in bytes a second, on Deno and on Bun:
 *
 *     deno task bench:micro [--filter framer]
 */
import { execFile } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { parseArgs } from "@std/cli";
import { CASES } from "./micro_cases.ts";

const DEADLINE_MS = 120_000;

/** Nanoseconds a call, by name. */
type Times = ReadonlyMap<string, number>;

async function output(command: string, args: readonly string[]): Promise<string> {
  const options = { timeout: DEADLINE_MS, maxBuffer: 2 ** 26 };
  return (await promisify(execFile)(command, args, options)).stdout;
}

function pathOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

async function onDeno(): Promise<Times> {
  const json = await output("deno", ["bench", "-A", "--no-check", "--json", pathOf("micro.ts")]);
  const { benches } = JSON.parse(json) as {
    benches: { name: string; results: { ok?: { avg: number }; failed?: unknown }[] }[];
  };
  return new Map(benches.map(({ name, results: [result] }) => {
    if (result?.ok === undefined) throw new Error(`${name}: ${JSON.stringify(result?.failed)}`);
    return [name, result.ok.avg];
  }));
}

async function onBun(): Promise<Times | undefined> {
  const json = await output("bun", [pathOf("micro_bun.ts")]).catch((error) => {
    if (error.code !== "ENOENT") throw error;
    console.log("There is no bun on PATH: left out.");
  });
  if (json === undefined) return undefined;
  const results = JSON.parse(json) as { name: string; ns: number }[];
  return new Map(results.map(({ name, ns }) => [name, ns]));
}

const { filter = "" } = parseArgs(process.argv.slice(2), { string: ["filter"] });
const runs = [["Deno", await onDeno()], ["Bun", await onBun()]] as const;
const there = runs.filter(([, times]) => times !== undefined);
console.log("".padEnd(36) + there.map(([name]) => `${name} MB/s`.padStart(14)).join(""));
for (const { name, bytes } of CASES.filter(({ name }) => name.includes(String(filter)))) {
  const cells = there.map(([, times]) =>
    (bytes / times!.get(name)! * 1000).toFixed(0).padStart(14)
  );
  console.log(name.padEnd(36) + cells.join(""));
}
