import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { readFileSync } from "node:fs";
import { helpText } from "../../../lib/cli/args/help.ts";
import { OPTION_TABLE } from "../../../lib/cli/args/option_table.ts";
import type { CliOption } from "../../../lib/cli/args/option.ts";
import { VERSION } from "../../../lib/cli/version.ts";

describe("helpText", () => {
  it("names every option and fits a terminal", () => {
    const text = helpText();
    for (const { name, value, help } of OPTION_TABLE as readonly CliOption[]) {
      const option = value === undefined ? name : `${name} ${value}`;
      const line = text.split("\n").find((line) => line.includes(`--${option} `));
      assert(line?.includes(`  ${help}`), name);
    }
    for (const line of text.split("\n")) assert(line.length <= 100, line);
    for (const code of [0, 1, 2, 130, 143]) assert(text.includes(` ${code} `), String(code));
  });
});

describe("VERSION", () => {
  it("is that of deno.json", () => {
    const config = JSON.parse(readFileSync(new URL("../../../deno.json", import.meta.url), "utf8"));
    assertEquals(VERSION, config.version);
  });
});
