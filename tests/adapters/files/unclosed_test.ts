import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { detectRuntime } from "../../../lib/adapters/runtime.ts";
import { temporaryFolder } from "../../contract/files_system_contract.ts";

describe("sinks and files that a program never closes", () => {
  const folder = temporaryFolder();

  it("do not end it, collected or not", () => {
    const child = fileURLToPath(new URL("unclosed_child.ts", import.meta.url));
    const run = detectRuntime() === "deno" ? ["run", "-A", "--no-check"] : [];
    const args = [...run, child, folder.path("")];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    assertEquals([status, stdout.trim(), stderr], [0, "still here", ""]);
  });
});
