/**
 * All that would fail when a version is released, as far as it can be seen before:
 * `deno task release-check [--require]`.
 *
 * What can't be looked at here (JSR out of reach, a program that is not installed) is skipped with a
 * word. With `--require`, for the workflow that releases, JSR out of reach is a failure, and so is work
 * that the changelog does not count to this version, and a date before that of the last change.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { parse } from "deno-std/yaml/parse.js";
import { refusedInPackage } from "./import_attributes.mjs";
import { changelogProblems, dateOf, unreleased } from "./release/changelog.mjs";
import { brokenLinks } from "./release/links.mjs";
import { fileProblems } from "./release/package_files.mjs";
import { checkStdTypes } from "./release/std_types.mjs";
import { composeProblems, dockerfileProblems, workflowProblems } from "./release/workflows.mjs";
import { ROOT, versions } from "./runtimes.mjs";
import { TARGETS } from "./targets.mjs";

const DEADLINE_MS = 180_000;
const TODAY = new Date().toISOString().slice(0, 10);
const isRelease = process.argv.includes("--require");

const read = (path) => fs.readFile(join(ROOT, path), "utf8");
const readJson = async (path) => JSON.parse(await read(path));

/** Runs a program to its end. */
function run(program, ...args) {
  const env = { ...process.env, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" };
  const options = { cwd: ROOT, env, encoding: "utf8", timeout: DEADLINE_MS };
  const { status, stdout, stderr, error } = spawnSync(program, args, options);
  const isMissing = error?.code === "ENOENT";
  return { isMissing, status, stdout: stdout ?? "", said: `${stdout ?? ""}${stderr ?? ""}`.trim() };
}

/** Under version control; in a copy without it, all that is there. */
async function projectFiles() {
  const { status, stdout } = run("git", "ls-files", "-z");
  if (status === 0) return stdout.split("\0").filter(Boolean);
  const names = await fs.readdir(ROOT, { recursive: true, withFileTypes: true });
  return names.filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1).replaceAll("\\", "/"))
    .filter((path) => !/^(?:\.git|node_modules|dist)\//.test(path));
}

const files = new Set(await projectFiles());
const denoJson = await readJson("deno.json");
const packageJson = await readJson("package.json");
const { version } = denoJson;

/** What is looked at: each tells its problems, or why it could not look. */
const CHECKS = {
  async "one version everywhere"() {
    const own = /VERSION = "([^"]+)"/.exec(await read("lib/cli/version.ts"))?.[1];
    const told = { "package.json": packageJson.version, "lib/cli/version.ts": own };
    const problems = Object.entries(told).filter(([, other]) => other !== version)
      .map(([path, other]) => `${path} says ${other}, and deno.json ${version}`);
    if (JSON.stringify(packageJson.exports) !== JSON.stringify(denoJson.exports)) {
      problems.push("exports of package.json and deno.json differ");
    }
    if (packageJson.name !== denoJson.name) problems.push("package.json has another name");
    const tag = process.env.GITHUB_REF_TYPE === "tag" ? process.env.GITHUB_REF_NAME : undefined;
    if (tag !== undefined && tag !== `v${version}`) problems.push(`the tag is ${tag}`);
    return { problems };
  },

  async "the changelog"() {
    const text = await read("CHANGELOG.md");
    const problems = changelogProblems(text, version, TODAY);
    if (isRelease) {
      if (unreleased(text).length > 0) problems.push("something is told as not released");
      const changed = run("git", "log", "-1", "--format=%cs").stdout.trim();
      const date = dateOf(text, version);
      if (changed === "") problems.push("git does not tell when the last change was");
      if (date < changed) problems.push(`${version} is of ${date}, and the last change ${changed}`);
    }
    return { problems };
  },

  async "import attributes, of which JSR takes json alone"() {
    return { problems: await refusedInPackage(ROOT) };
  },

  async "files and exports that are published"() {
    const { publish, exports } = denoJson;
    const excluded = publish.exclude.map((glob) =>
      new RegExp(`^${glob.replaceAll(".", "\\.").replaceAll("*", "[^/]*")}$`)
    );
    const problems = publish.include.filter((place) =>
      !files.has(place) && ![...files].some((path) => path.startsWith(`${place}/`))
    ).map((place) => `there is no ${place} to publish`);
    const published = [...files].filter((path) =>
      publish.include.some((place) => path === place || path.startsWith(`${place}/`)) &&
      !excluded.some((pattern) => pattern.test(path))
    );
    const sizes = await Promise.all(published.map(async (path) => {
      const stat = await fs.lstat(join(ROOT, path)).catch(() => undefined);
      return { path, bytes: stat?.size ?? -1, isLink: stat?.isSymbolicLink() ?? false };
    }));
    problems.push(...sizes.filter(({ bytes }) => bytes < 0).map(({ path }) => `${path} is gone`));
    problems.push(...fileProblems(sizes));
    for (const [name, path] of Object.entries(exports)) {
      if (!published.includes(path.slice(2))) problems.push(`${name}: ${path} is not published`);
    }
    return { problems };
  },

  async "links of README and docs"() {
    const texts = new Map();
    for (const path of files) {
      if (/^(?:[A-Z]+|docs\/[\w-]+)\.md$/.test(path)) texts.set(path, await read(path));
    }
    return { problems: brokenLinks(texts, files) };
  },

  async "workflows, read and not run"() {
    const scripts = Object.keys(packageJson.scripts);
    const problems = [];
    for (const path of files) {
      if (!/^\.github\/workflows\/.*\.ya?ml$/.test(path)) continue;
      const said = await fromYaml(
        path,
        (workflow) => workflowProblems(workflow, { scripts, targets: TARGETS, files }),
      );
      problems.push(...said);
    }
    return { problems };
  },

  async "compose file and Dockerfile, read and not run"() {
    const path = "deploy/compose.yaml";
    const { bun } = await versions();
    const problems = await fromYaml(path, (compose) => composeProblems(compose, path, files));
    const docker = dockerfileProblems(await read("deploy/Dockerfile"), { bun, files });
    return { problems: [...problems, ...docker.map((text) => `deploy/Dockerfile: ${text}`)] };
  },

  "workflows, by actionlint"() {
    const workflows = [...files].filter((path) => path.startsWith(".github/workflows/"));
    const { isMissing, status, said } = run("actionlint", ...workflows);
    if (isMissing) return { skipped: "there is no actionlint on PATH" };
    return { problems: status === 0 ? [] : [said] };
  },

  "rules for alerts, by promtool"() {
    const { isMissing, status, said } = run("promtool", "check", "rules", "deploy/alerts.yml");
    if (isMissing) return { skipped: "there is no promtool on PATH (Debian: prometheus)" };
    return { problems: status === 0 ? [] : [said] };
  },

  "publishing to JSR, as a dry run"() {
    // Other changes than those that are committed are published by nobody.
    const dirty = isRelease ? [] : ["--allow-dirty"];
    const { status, said } = run("deno", "publish", "--dry-run", "--frozen-lockfile", ...dirty);
    return { problems: status === 0 ? [] : [said.slice(-2000)] };
  },

  async "stand-ins for @std, against the real ones"() {
    const { problems = [], skipped } = await checkStdTypes(ROOT);
    return skipped !== undefined && isRelease ? { problems: [skipped] } : { problems, skipped };
  },
};

/** Problems of a file in YAML, with its path. */
async function fromYaml(path, problemsOf) {
  try {
    return problemsOf(parse(await read(path))).map((text) => `${path}: ${text}`);
  } catch (error) {
    return [`${path}: ${error.message}`];
  }
}

/** What a check tells; what it can't even read is a problem as well. */
async function looked(look) {
  try {
    return await look();
  } catch (error) {
    return { problems: [error.message] };
  }
}

const counts = { passed: 0, failed: 0, skipped: 0 };
for (const [name, look] of Object.entries(CHECKS)) {
  const { problems = [], skipped } = await looked(look);
  const outcome = problems.length > 0 ? "failed" : skipped !== undefined ? "skipped" : "passed";
  counts[outcome]++;
  const word = { passed: "ok     ", failed: "FAILED ", skipped: "skipped" }[outcome];
  process.stdout.write(`${word} ${name}${outcome === "skipped" ? `: ${skipped}` : ""}\n`);
  for (const problem of problems) process.stdout.write(`        ${problem}\n`);
}
const { passed, failed, skipped } = counts;
process.stdout.write(
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}\n`,
);
process.exitCode = failed > 0 ? 1 : 0;
