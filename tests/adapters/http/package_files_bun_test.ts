/** A program whose own dependency is another version of the viewer than this package's. */
import { assert, assertEquals } from "@std/assert";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, describe, it } from "node:test";
import { ROOT } from "../../project/tree.ts";

const app = mkdtempSync(join(tmpdir(), "rerelay-consumer-"));
const installed = join(app, "node_modules/@rerelay/server");
const probe = join(installed, "tests/adapters/http/package_probe.ts");

/** A package of these files. */
function install(folder: string, name: string, version: string, files: Record<string, string>) {
  mkdirSync(folder, { recursive: true });
  const json = { name, version, type: "module", main: "./index.js" };
  writeFileSync(join(folder, "package.json"), JSON.stringify(json));
  for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text);
}

function run(...args: string[]) {
  const { stdout, stderr } = spawnSync(process.execPath, [probe, ...args], {
    cwd: app,
    encoding: "utf8",
  });
  return { ...JSON.parse(stdout || JSON.stringify({ files: {}, lines: [stderr] })), stderr } as {
    readonly files: Record<string, string | null>;
    readonly lines: string[];
    readonly stderr: string;
  };
}

describe("files of packages, beside another version of the viewer", () => {
  const viewer = "rerun-web-viewer-0-33";
  const is = "@rerun-io/web-viewer";
  mkdirSync(installed, { recursive: true });
  for (
    const path of [
      ...["lib", "std", "tsconfig.json", "package.json"],
      "tests/adapters/http/package_probe.ts",
    ]
  ) {
    cpSync(join(ROOT, path), join(installed, path), { recursive: true });
  }
  for (const name of ["deno-std", "uplot"]) {
    symlinkSync(join(ROOT, "node_modules", name), join(app, "node_modules", name));
  }
  install(join(app, "node_modules", viewer), is, "0.21.0", { "index.js": "// theirs" });
  after(() => rmSync(app, { recursive: true }));

  it("are not that one's, which the log says", () => {
    const { files, lines } = run();
    assertEquals(files["/viewer-0.33/index.js"], null);
    assertEquals(lines.length, 1);
    assert(/0\.33\.0/.test(lines[0]!) && /0\.21\.0/.test(lines[0]!), lines[0]);
    assert(files["/"]!.startsWith("<!DOCTYPE html>"), "the rest of the page works");
    assert(files["/plot/uPlot.esm.js"]!.includes("uPlot"), "and so does the other package");
  });

  it("are told of on the console where no log is passed", () => {
    assert(run("--console").stderr.includes("The page goes without /viewer-0.33/index.js"));
  });

  it("are this package's own, where it has one", () => {
    const nested = join(installed, "node_modules", viewer);
    install(nested, is, "0.33.0", { "index.js": "// ours" });
    const { files, lines } = run();
    assertEquals([files["/viewer-0.33/index.js"], lines], ["// ours", []]);
  });
});
