/**
 * The test commands: `node tools/test.mjs [PART …]`, all parts without a name, and the same with
 * `--programs` for what starts whole programs or takes seconds. Also run by Deno or Bun alone, where
 * the other's parts are skipped.
 */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { endAll } from "./exec.mjs";
import { errorLines } from "./junit.mjs";
import { DEPENDENCIES, PARTS, PROGRAM_PARTS } from "./parts.mjs";
import { ensureRuntimes, mayFetch, ROOT, ToolError, versions } from "./runtimes.mjs";

const AT_ONCE = 2;
/** Lines at the end about what failed in a part: CI shows little more. */
const MOST_FAULTS = 12;
const TITLE_WIDTH = Math.max(
  ...[...PARTS, ...PROGRAM_PARTS, ...DEPENDENCIES].map(({ title }) => title.length),
);

async function main(args) {
  const names = args.filter((arg) => arg !== "--programs");
  const all = names.length < args.length ? PROGRAM_PARTS : PARTS;
  const unknown = names.filter((name) => !all.some(({ id }) => id === name));
  if (unknown.length) {
    const known = all.map(({ id }) => id).join(", ");
    throw new ToolError(`There is no part ${unknown.join(", ")}; there are ${known}.`);
  }
  const parts = all.filter(({ id }) => !names.length || names.includes(id));
  const { paths, env } = await ensureRuntimes(["deno", "bun"], { fetch: mayFetch() });
  const temporary = await fs.mkdtemp(join(tmpdir(), "rerelay-test-"));
  try {
    const quiet = { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", DENO_NO_PROMPT: "1" };
    const context = { root: ROOT, temporary, paths, env: { ...env, ...quiet } };
    const needed = DEPENDENCIES.filter((one) => parts.some(({ needs }) => needs === one.needs));
    const start = performance.now();
    const packages = await runAll(needed, context);
    const results = await runAll(parts, context);
    // Packages are a means: they count only where they fail.
    report([...packages.filter(({ failed }) => failed), ...results], secondsSince(start));
  } finally {
    await fs.rm(temporary, { recursive: true, force: true });
  }
}

async function runAll(parts, context) {
  const waiting = [...parts];
  const results = [];
  const worker = async () => {
    for (let part = waiting.shift(); part; part = waiting.shift()) {
      const result = await runPart(part, context);
      results.push(result);
      show(result);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}

async function runPart(part, context) {
  const { title, needs } = part;
  if (!context.paths[needs]) {
    const version = (await versions())[needs];
    const why = `there is no ${needs} ${version} on PATH (npm test fetches it)`;
    return { title, passed: 0, failed: 0, skipped: 1, why, output: "", seconds: "0.0" };
  }
  const start = performance.now();
  const fault = (error) => ({ passed: 0, failed: 1, skipped: 0, output: `${error.stack}\n` });
  const result = await part.run(context).catch(fault);
  return { title, ...result, seconds: secondsSince(start) };
}

function show({ title, passed, failed, skipped, why, output, seconds }) {
  const state = failed ? "FAILED" : why ? "skipped" : "ok";
  const counts = why ?? (passed + failed + skipped > 1 ? counted({ passed, failed, skipped }) : "");
  const line = [
    state.padEnd(8),
    title.padEnd(TITLE_WIDTH),
    `${seconds} s`.padStart(8),
    " ",
    counts,
  ];
  const lines = [line.join(" ").trimEnd(), ...(failed ? [output.trimEnd(), ""] : [])];
  process.stdout.write(`${lines.join("\n")}\n`);
}

function report(results, seconds) {
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const result of results) for (const key of Object.keys(sum)) sum[key] += result[key];
  const bad = results.filter(({ failed }) => failed);
  if (bad.length) process.stdout.write(`\nFailed: ${bad.map(({ title }) => title).join(", ")}\n`);
  for (const { title, output, faults = [] } of bad) {
    // Whatever broke off says why at its end.
    const lines = faults.length ? faults : errorLines(output).slice(-MOST_FAULTS);
    for (const line of lines.slice(0, MOST_FAULTS)) process.stdout.write(`${title}: ${line}\n`);
    const more = lines.length - MOST_FAULTS;
    if (more > 0) process.stdout.write(`${title}: and ${more} more\n`);
  }
  process.stdout.write(`\n${seconds} s\n${counted(sum)}\n`);
  process.exitCode = sum.failed ? 1 : 0;
}

function counted({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""}`;
}

function secondsSince(start) {
  return ((performance.now() - start) / 1000).toFixed(1);
}

for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]]) {
  process.on(signal, () => {
    endAll();
    process.exit(code);
  });
}
try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof ToolError)) throw error;
  process.stderr.write(`rerelay: ${error.message}\n`);
  process.stdout.write("0 passed, 1 failed\n");
  process.exitCode = 1;
}
