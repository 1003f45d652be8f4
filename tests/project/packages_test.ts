import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { importsOf } from "./code.ts";
import { projectFiles, read, readJson, sources } from "./tree.ts";

interface DenoJson {
  readonly version: string;
  readonly imports: Record<string, string>;
  readonly workspace: string[];
}

interface PackageJson {
  readonly version: string;
  readonly dependencies: Record<string, string>;
  readonly devDependencies: Record<string, string>;
}

const denoJson = readJson<DenoJson>("deno.json");
const packageJson = readJson<PackageJson>("package.json");

function imported(...places: string[]): Set<string> {
  return new Set(sources(...places).flatMap((path) => importsOf(read(path))).map(packageOf));
}

function packageOf(specifier: string): string {
  const parts = specifier.split("/");
  return parts.slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
}

describe("@std", () => {
  const names = Object.keys(denoJson.imports).filter((name) => name.startsWith("@std/"));

  it("has a stand-in for each package, and no other", () => {
    assertEquals(denoJson.workspace, names.map((name) => `./std/${name.slice("@std/".length)}`));
  });

  it("is imported, each package of it", () => {
    const used = imported("lib/", "mod.ts", "core.ts", "cli.ts", "tests/");
    assertEquals(names.filter((name) => !used.has(name)), []);
  });
});

describe("npm packages", () => {
  it("are imported, each one of them", () => {
    const used = imported("lib/", "std/");
    const usedInTests = imported("tests/");
    assertEquals(Object.keys(packageJson.dependencies).filter((name) => !used.has(name)), []);
    assertEquals(
      Object.keys(packageJson.devDependencies).filter((name) => !usedInTests.has(name)),
      [],
    );
  });

  it("have exact versions, as there is no lock for npm", () => {
    const versions = { ...packageJson.dependencies, ...packageJson.devDependencies };
    const loose = Object.entries(versions).filter(([, version]) =>
      !/^(?:npm:@?[\w./-]+@)?\d+\.\d+\.\d+$/.test(version)
    );
    assertEquals(loose, []);
  });

  it("do not hold the runtimes: deno task would run their binaries as JavaScript", () => {
    const names = Object.keys({ ...packageJson.dependencies, ...packageJson.devDependencies });
    assertEquals(names.filter((name) => name === "deno" || name === "bun"), []);
  });
});

describe("the package", () => {
  it("has one version", () => {
    assertEquals(packageJson.version, denoJson.version);
    const changelog = read("CHANGELOG.md");
    assert(changelog.includes(`## [${denoJson.version}]`), "the changelog does not tell of it");
  });

  it("has no lock but deno.lock, and no settings of a registry", () => {
    const names =
      /(^|\/)(package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?|\.npmrc|bunfig\.toml)$/;
    const files = projectFiles();
    assert(files.includes("deno.lock"));
    assertEquals(files.filter((path) => names.test(path)), []);
  });

  it("names no registry's host", () => {
    // In pieces, for this file is looked at too.
    const hosts = ["npmjs", "jsr", "pypi", "pythonhosted", "npmmirror", "yarnpkg"].join("|");
    const host = new RegExp(
      `\\b(?:${hosts})\\.(?:org|com|io)\\b|//[\\w.-]*registry[\\w.-]*\\.\\w+`,
    );
    const text = /\.(?:[cm]?[jt]s|jsonc?|md|lock|toml|ya?ml|py|sh)$|^\.ci\/|^\.git|^LICENSE$/;
    const found = projectFiles()
      .filter((path) => text.test(path) && !path.startsWith("tests/fixtures/"))
      .filter((path) => host.test(read(path)));
    assertEquals(found, []);
  });
});
