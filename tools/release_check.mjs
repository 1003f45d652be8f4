/**
 * Compares the stand-ins for @std in std/ with the real packages, where JSR is reachable:
 * `deno task release-check [--require]`. What the stand-ins declare must be true of the real ones,
 * as those are what the published package gets.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
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

const { skipped, failed = [] } = await check();
if (skipped) {
  const required = process.argv.includes("--require");
  process.stdout.write(
    `JSR is not reachable, so the stand-ins' types were not compared with the real ones.\n${skipped}\n` +
      (required ? "0 passed, 1 failed\n" : "skipped\n"),
  );
  process.exitCode = required ? 1 : 0;
} else {
  for (const output of failed) process.stdout.write(`\n${output}`);
  process.stdout.write(`${packages.length - failed.length} passed, ${failed.length} failed\n`);
  process.exitCode = failed.length ? 1 : 0;
}
