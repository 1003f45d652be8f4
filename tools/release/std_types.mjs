/**
 * Whether what the stand-ins for @std in std/ declare is true of the real packages, which the published
 * package gets: compared where JSR is reachable.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";

const DEADLINE_MS = 60_000;

/**
 * Compares them.
 *
 * @param {string} root the package
 * @returns {Promise<{ problems: string[] } | { skipped: string }>}
 */
export async function checkStdTypes(root) {
  const { imports, compilerOptions } = JSON.parse(
    await fs.readFile(join(root, "deno.json"), "utf8"),
  );
  const packages = Object.entries(imports).filter(([name]) => name.startsWith("@std/"));
  // Outside of the workspace, where the real packages are found.
  const folder = await fs.mkdtemp(join(tmpdir(), "rerelay-release-"));
  try {
    await fs.writeFile(join(folder, "deno.json"), JSON.stringify({ compilerOptions }));
    for (const [, specifier] of packages) {
      const { status, stderr } = deno(["cache", "--no-check", specifier], folder);
      if (status !== 0) return { skipped: `${specifier}: ${firstLine(stderr) || "no answer"}` };
    }
    const problems = [];
    for (const [name, specifier] of packages) {
      const file = join(folder, `${name.slice("@std/".length)}.ts`);
      await fs.writeFile(file, program(root, name, specifier));
      const { status, stdout, stderr } = deno(["check", file], folder);
      if (status !== 0) problems.push(`${name} (${specifier}): ${stdout}${stderr}`);
    }
    return { problems };
  } finally {
    await fs.rm(folder, { recursive: true, force: true });
  }
}

/** A program that has the types of one stand-in on one side and the real ones on the other. */
function program(root, name, specifier) {
  const declarations = join(root, "std", name.slice("@std/".length), "mod.d.ts");
  return [
    `import * as real from ${JSON.stringify(specifier)};`,
    `import type * as standIn from ${JSON.stringify(pathToFileURL(declarations).href)};`,
    `real satisfies typeof standIn;`,
    ...typeNames(root, declarations).map((type) =>
      `export const ${type}Check = (value: real.${type}): standIn.${type} => value;`
    ),
    "",
  ].join("\n");
}

/** Interfaces and type aliases: `typeof` does not see them. */
function typeNames(root, path) {
  const { stdout } = deno(["doc", "--json", path], root);
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

function firstLine(text) {
  return text?.trim().split("\n")[0] ?? "";
}
