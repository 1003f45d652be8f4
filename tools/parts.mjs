/**
 * The parts of the two test commands, the longest first.
 */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { exec } from "./exec.mjs";
import { countTests, faultsOf } from "./junit.mjs";
import { testFiles } from "./test_files.mjs";
import { webOnlyArgs } from "./web_only.mjs";

const DEADLINE_SEC = 540;

/**
 * What each part needs, and what it does. `run` gets `{ root, temporary, paths, env }` and gives
 * `{ passed, failed, skipped, output }`, and tests also `faults`: a line for each that failed.
 */
export const PARTS = [
  { id: "deno", title: "tests on Deno", needs: "deno", run: denoTests },
  { id: "bun", title: "tests on Bun", needs: "bun", run: bunTests },
  { id: "types", title: "type check", needs: "deno", run: types },
  { id: "doctest", title: "examples in docs", needs: "deno", run: docTests },
  {
    id: "web",
    title: "web-only core",
    needs: "deno",
    run: check(({ root, temporary }) => webOnlyArgs(root, temporary)),
  },
  { id: "docs", title: "docs lint", needs: "deno", run: check(docLintArgs) },
  { id: "lint", title: "lint", needs: "deno", run: check(() => ["lint"]) },
  { id: "fmt", title: "format", needs: "deno", run: check(() => ["fmt", "--check"]) },
];

/** The parts of `npm run test:programs`: whole programs, and what takes seconds. */
export const PROGRAM_PARTS = [
  { id: "deno", title: "programs on Deno", needs: "deno", run: denoPrograms },
  { id: "bun", title: "programs on Bun", needs: "bun", run: bunPrograms },
  {
    id: "publish",
    title: "publish dry run",
    needs: "deno",
    run: check((_) => ["publish", "--dry-run", "--allow-dirty", "--frozen-lockfile"]),
  },
];

/** Fetches the packages once, before the parts that would all do so. */
export const DEPENDENCIES = [
  {
    id: "deno-packages",
    title: "packages for Deno",
    needs: "deno",
    run: check(() => ["install", "--frozen"]),
  },
  { id: "bun-packages", title: "packages for Bun", needs: "bun", run: bunPackages },
];

/** A part that is one check: it passes if Deno ends with 0. */
function check(args) {
  return async (context) => outcome(await runDeno(context, await args(context)));
}

function runDeno({ root, paths, env }, args) {
  return exec(paths.deno, args, { cwd: root, env, deadlineSec: DEADLINE_SEC });
}

function outcome({ ok, output }) {
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0, output };
}

/** Checks the code, the examples in its docstrings, and those of the texts, in one pass. */
async function types(context) {
  const docs = await fs.readdir(join(context.root, "docs")).catch(() => []);
  const texts = ["README.md", "CONTRIBUTING.md", ...docs.map((name) => `docs/${name}`)]
    .filter((text) => text.endsWith(".md"));
  const there = [];
  for (const text of texts) if (await exists(join(context.root, text))) there.push(text);
  return outcome(await runDeno(context, ["check", "--frozen", "--doc", ".", ...there]));
}

async function docLintArgs({ root }) {
  const { exports } = JSON.parse(await fs.readFile(join(root, "deno.json"), "utf8"));
  return ["doc", "--lint", ...Object.values(exports)];
}

function docTests(context) {
  // The type check is a part of its own.
  return counted(context, "doctest.xml", (report) => {
    const args = [
      "test",
      "-A",
      "--doc",
      "--no-check",
      "--frozen",
      `--junit-path=${report}`,
      "mod.ts",
      "core.ts",
      "lib",
    ];
    return runDeno(context, args);
  });
}

async function denoTests(context) {
  const { root, temporary } = context;
  const files = (await testFiles(root)).quick.filter((path) => !path.endsWith("_bun_test.ts"));
  // Deno gives each test file an isolate of its own, which would load and compile the whole library
  // each time: 1.6 times the processor seconds of two modules that import half of the files each.
  const halves = await Promise.all([0, 1].map(async (half) => {
    const lines = files.filter((_, i) => i % 2 === half)
      .map((path) => `import ${JSON.stringify(pathToFileURL(join(root, path)).href)};`);
    const module = join(temporary, `half_${half}_test.ts`);
    await fs.writeFile(module, `${lines.join("\n")}\n`);
    return module;
  }));
  return runDenoTests(context, ["--config", join(root, "deno.json"), ...halves]);
}

async function denoPrograms(context) {
  const files = (await testFiles(context.root)).programs;
  return runDenoTests(context, files.filter((path) => !path.endsWith("_bun_test.ts")));
}

function runDenoTests(context, more) {
  // The type check is a part of its own. Many tests wait, so two files at a time take half as long.
  const args = ["test", "-A", "--no-check", "--frozen", "--parallel"];
  const own = { ...context, env: { ...context.env, DENO_JOBS: "2" } };
  return counted(
    context,
    "deno.xml",
    (report) => runDeno(own, [...args, `--junit-path=${report}`, ...more]),
  );
}

async function bunTests(context) {
  return runBunTests(context, (await testFiles(context.root)).quick);
}

async function bunPrograms(context) {
  return runBunTests(context, (await testFiles(context.root)).programs);
}

async function runBunTests(context, all) {
  const { root, paths, env } = context;
  const files = all.filter((path) => !path.endsWith("_deno_test.ts"));
  // Bun runs one file at a time, and many tests wait: two processes take half as long.
  const runs = await Promise.all(
    [0, 1].map((half) =>
      counted(context, `bun-${half}.xml`, (report) => {
        // Bun's own limit of 5 s a test is too short on a busy machine.
        const args = [
          "test",
          "--timeout=60000",
          "--reporter=junit",
          `--reporter-outfile=${report}`,
        ];
        const names = files.filter((_, i) => i % 2 === half).map((path) => `./${path}`);
        return exec(paths.bun, [...args, ...names], { cwd: root, env, deadlineSec: DEADLINE_SEC });
      })
    ),
  );
  return runs.reduce((sum, run) => ({
    passed: sum.passed + run.passed,
    failed: sum.failed + run.failed,
    skipped: sum.skipped + run.skipped,
    output: sum.output + run.output,
    faults: [...sum.faults, ...run.faults],
  }));
}

/** A part that has tests to count; a run that ends badly without a failed test is one. */
async function counted({ temporary }, name, run) {
  const report = join(temporary, name);
  const { ok, output } = await run(report);
  const xml = await fs.readFile(report, "utf8").catch(() => "");
  const counts = countTests(xml);
  const none = counts.passed + counts.failed + counts.skipped === 0;
  const unseen = (!ok || none) && counts.failed === 0;
  if (unseen) counts.failed = 1;
  const faults = counts.failed ? faultsOf(xml, output) : [];
  return { ...counts, output: none ? `${output}No test ran.\n` : output, faults };
}

/** Bun's tests read packages from node_modules, which stays out of the way of everything else. */
async function bunPackages({ root, paths, env }) {
  if (await packagesAreThere(root)) return outcome({ ok: true, output: "" });
  const args = ["install", "--no-save"];
  return outcome(await exec(paths.bun, args, { cwd: root, env, deadlineSec: DEADLINE_SEC }));
}

async function packagesAreThere(root) {
  const { dependencies, devDependencies } = await json(join(root, "package.json"));
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
    const there = await json(join(root, "node_modules", name, "package.json")).catch(() => ({}));
    if (there.version !== version) return false;
  }
  return true;
}

async function json(path) {
  return JSON.parse(await fs.readFile(path, "utf8"));
}

function exists(path) {
  return fs.access(path).then(() => true, () => false);
}
