/**
 * What must be true before a release, and no test sees: `deno task release-check [--require]`.
 *
 * JSR refuses import attributes but `type: "json"`, which its dry run does not say. And what the
 * stand-ins for @std in std/ declare must be true of the real packages, as those are what the
 * published package gets; they are compared where JSR is reachable.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { refusedInPackage } from "./import_attributes.mjs";
import { ROOT } from "./runtimes.mjs";

const DEADLINE_MS = 60_000;

const { imports, compilerOptions } = JSON.parse(
  await fs.readFile(join(ROOT, "deno.json"), "utf8"),
);
const packages = Object.entries(imports).filter(([name]) => name.startsWith("@std/"));

/** A program that has the types of one stand-in on one side and the real ones on the other. */
function program(name, specifier) {
  const declarations = join(ROOT, "std", name.slice("@std/".length), "mod.d.ts");
  return [
    `import * as real from ${JSON.stringify(specifier)};`,
    `import type * as standIn from ${JSON.stringify(pathToFileURL(declarations).href)};`,
    `real satisfies typeof standIn;`,
    ...typeNames(declarations).map((type) =>
      `export const ${type}Check = (value: real.${type}): standIn.${type} => value;`
    ),
    "",
  ].join("\n");
}

/** Interfaces and type aliases: `typeof` does not see them. */
function typeNames(path) {
  const { stdout } = deno(["doc", "--json", path], ROOT);
  const symbols = Object.values(JSON.parse(stdout).nodes).flatMap((node) => node.symbols);
  const isType = ({ declarations }) =>
    declarations.some(({ declarationKind, kind }) =>
      declarationKind === "export" && ["interface", "typeAlias"].includes(kind)
    );
  return symbols.filter(isType).map(({ name }) => name);
}

function deno(args, cwd) {
  const env = { ...process.env, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" };
  return spawnSync("deno", args, { cwd, env, encoding: "utf8", timeout: DEADLINE_MS });
}

async function check() {
  // Outside of the workspace, where the real packages are found.
  const folder = await fs.mkdtemp(join(tmpdir(), "rerelay-release-"));
  try {
    await fs.writeFile(join(folder, "deno.json"), JSON.stringify({ compilerOptions }));
    for (const [, specifier] of packages) {
      const { status, stderr } = deno(["cache", "--no-check", specifier], folder);
      if (status !== 0) return { skipped: `${specifier}: ${stderr?.trim() || "no answer"}` };
    }
    const failed = [];
    for (const [name, specifier] of packages) {
      const file = join(folder, `${name.slice("@std/".length)}.ts`);
      await fs.writeFile(file, program(name, specifier));
      const { status, stdout, stderr } = deno(["check", file], folder);
      process.stdout.write(`${status === 0 ? "ok    " : "FAILED"} ${name} (${specifier})\n`);
      if (status !== 0) failed.push(`${stdout}${stderr}`);
    }
    return { failed };
  } finally {
    await fs.rm(folder, { recursive: true, force: true });
  }
}

const refused = await refusedInPackage(ROOT);
process.stdout.write(`${refused.length ? "FAILED" : "ok    "} import attributes\n`);
for (const line of refused) process.stdout.write(`       ${line}: JSR takes type: "json" alone\n`);

const { skipped, failed = [] } = await check();
const own = refused.length ? { passed: 0, failed: 1 } : { passed: 1, failed: 0 };
if (skipped) {
  const required = process.argv.includes("--require");
  const missed = own.failed + (required ? 1 : 0);
  process.stdout.write(
    `JSR is not reachable, so the stand-ins' types were not compared with the real ones.\n${skipped}\n` +
      (missed ? `${own.passed} passed, ${missed} failed\n` : "skipped\n"),
  );
  process.exitCode = missed ? 1 : 0;
} else {
  for (const output of failed) process.stdout.write(`\n${output}`);
  const missed = own.failed + failed.length;
  process.stdout.write(`${packages.length + 1 - missed} passed, ${missed} failed\n`);
  process.exitCode = missed ? 1 : 0;
}
