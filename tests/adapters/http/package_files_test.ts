import { assertEquals } from "@std/assert";
import { spawnSync } from "node:child_process";
import { parse } from "node:path";
import { describe, it } from "node:test";
import process from "node:process";
import { installedPackages, SERVED_VERSIONS } from "../../../lib/adapters/http/package_files.ts";
import { detectRuntime } from "../../../lib/adapters/runtime.ts";
import { readJson, ROOT } from "../../project/tree.ts";

describe("files of packages", () => {
  it("are of the versions that package.json has", () => {
    const { dependencies } = readJson<{ dependencies: Record<string, string> }>("package.json");
    for (const [name, version] of Object.entries(SERVED_VERSIONS)) {
      // Two versions of one package: the second has another name here.
      assertEquals(dependencies[name]?.replace(/^npm:.*@/, ""), version, name);
    }
  });

  it("are found from this package, wherever the program is run", async () => {
    const probe = `${ROOT}tests/adapters/http/package_probe.ts`;
    const args = detectRuntime() === "deno" ? ["run", "-A", "--no-check", probe] : [probe];
    const { stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: parse(ROOT).root,
      encoding: "utf8",
    });
    const { files, lines } = JSON.parse(stdout || JSON.stringify({ lines: stderr }));
    assertEquals(lines, []);
    const viewer = await installedPackages.read("rerun-web-viewer-0-33", "index.js");
    assertEquals(files["/viewer-0.33/index.js"], new TextDecoder().decode(viewer));
  });
});
