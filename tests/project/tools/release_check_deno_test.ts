/** The release check as a program: it passes here, and finds each fault of a copy that has many. */
import { describe, it } from "node:test";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { projectFiles, ROOT } from "../tree.ts";

function check(root: string, ...more: string[]) {
  const args = ["run", "-A", "--no-check", join(root, "tools/release_check.mjs"), ...more];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: "utf8",
  });
  return { status, stdout: stdout + stderr };
}

describe("the release check", { timeout: 240_000 }, () => {
  it("finds nothing wrong here", () => {
    const { status, stdout } = check(ROOT);
    assertEquals(status, 0, stdout);
    assert(/^\d+ passed, 0 failed(, \d+ skipped)?$/m.test(stdout), stdout);
  });

  it("finds all that is wrong in a copy", () => {
    const root = mkdtempSync(join(tmpdir(), "rerelay-release-"));
    try {
      for (const path of projectFiles()) {
        if (path.startsWith("tests/")) continue;
        mkdirSync(dirname(join(root, path)), { recursive: true });
        cpSync(join(ROOT, path), join(root, path));
      }
      const change = (path: string, from: string | RegExp, to: string) => {
        const text = readFileSync(join(root, path), "utf8");
        assert(
          typeof from === "string" ? text.includes(from) : from.test(text),
          `${path}: ${from}`,
        );
        writeFileSync(join(root, path), text.replace(from, to));
      };
      change("package.json", /"version": "[\d.]+"/, '"version": "9.9.9"');
      change("CHANGELOG.md", "\n### Fixed", "\n### Mended");
      change("docs/deploy.md", "(#upgrading)", "(#downgrading)");
      change(".github/workflows/release.yml", "npm run build", "npm run biuld");
      change(".github/workflows/test.yml", "jobs:", "jobs: {");
      change("deploy/compose.yaml", "dockerfile: deploy/", "dockerfile: deployed/");
      change("deploy/Dockerfile", /oven\/bun:[\d.]+/, "oven/bun:1.0.0");
      change("mod.ts", /^/, 'import "./lib/base/escape.ts" with { type: "text" };\n');
      rmSync(join(root, "core.ts"));
      // As at a release; where the copy lies, there is no git.
      const { status, stdout } = check(root, "--require");
      assertEquals(status, 1);
      for (
        const found of [
          "package.json says 9.9.9",
          "Mended is none of Added",
          "git does not tell when the last change was",
          "docs/deploy.md: #downgrading",
          "release.yml: job executables: there is no npm run biuld",
          ".github/workflows/test.yml: ",
          "deploy/compose.yaml: service rerelay: there is no deployed/Dockerfile",
          "deploy/Dockerfile: it builds with Bun 1.0.0",
          'mod.ts:1: type: "text"',
          "there is no core.ts to publish",
          "FAILED  publishing to JSR, as a dry run",
        ]
      ) assertStringIncludes(stdout, found);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
});
