import { describe, it } from "node:test";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { detectRuntime } from "../../../lib/adapters/runtime.ts";
import { ROOT } from "../tree.ts";

/** Runs the test command with the test's own runtime alone. */
function testCommand(...parts: string[]) {
  const before = detectRuntime() === "deno" ? ["run", "-A"] : [];
  const args = [...before, join(ROOT, "tools", "test.mjs"), ...parts];
  const nowhere = join(tmpdir(), "rerelay-nowhere");
  const env = { ...process.env, PATH: nowhere, RERELAY_TOOLS: nowhere };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: "utf8" });
  return { status, stderr, stdout, last: stdout.trimEnd().split("\n").at(-1) };
}

describe("the test command", () => {
  it("says plainly what it skips where a runtime is absent", () => {
    const [part, name] = detectRuntime() === "deno" ? ["bun", "bun"] : ["fmt", "deno"];
    const { status, stdout, last } = testCommand(part!);
    assertEquals(last, "0 passed, 0 failed, 1 skipped");
    assertEquals(status, 0);
    assertStringIncludes(stdout, `there is no ${name}`);
  });

  it("refuses a part that does not exist", () => {
    const { status, stderr, last } = testCommand("nosuch");
    assertEquals([status, last], [1, "0 passed, 1 failed"]);
    assertStringIncludes(stderr, "There is no part nosuch");
  });
});
