import { describe, it } from "node:test";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { assert, assertEquals } from "@std/assert";
import { projectFiles, readJson, ROOT, sources } from "./tree.ts";

describe("the published package", () => {
  const args = ["publish", "--dry-run", "--allow-dirty", "--no-check"];
  const env = { ...process.env, NO_COLOR: "1" };
  const { status, stderr } = spawnSync(process.execPath, args, {
    cwd: ROOT,
    env,
    encoding: "utf8",
  });
  const files = [...stderr.matchAll(/^\s+(file:\S+) \(/gm)]
    .map(([, url]) => url!.slice(new URL("../../", import.meta.url).href.length)).sort();

  it("can be published", () => assertEquals(status, 0, stderr));

  it("has the code and the papers, and nothing else", () => {
    const docs = projectFiles().filter((path) => /^(docs|deploy)\//.test(path));
    const papers = ["CHANGELOG", "CONTRIBUTING", "README", "SECURITY"].map((name) => `${name}.md`);
    const code = sources("lib/", "mod.ts", "core.ts", "cli.ts");
    assertEquals(files, [...papers, ...docs, ...code, "LICENSE", "deno.json"].sort());
  });

  it("has all that it exports", () => {
    const { exports } = readJson<{ exports: Record<string, string> }>("deno.json");
    for (const path of Object.values(exports)) assert(files.includes(path.slice(2)), path);
  });
});
