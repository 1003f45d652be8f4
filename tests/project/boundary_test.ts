import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { runtimeNames } from "./code.ts";
import { read, sources } from "./tree.ts";

/** Some that read from top to bottom are this long; splinters that call each other would be worse. */
const LONGEST = 350;
const MEDIAN_BELOW = 100;

describe("the core", () => {
  it("names no runtime outside lib/adapters and lib/cli", () => {
    const core = sources("lib/", "mod.ts", "core.ts", "cli.ts")
      .filter((path) => !/^lib\/(adapters|cli)\//.test(path));
    assert(core.length > 20, "the core was not found");
    // `process` in cli.ts is a variable, of the command line's own type.
    const found = core.flatMap((path) => {
      const names = runtimeNames(read(path)).map((line) => `${path}:${line}`);
      return path === "cli.ts" ? names.filter((line) => !line.includes("process.exit(")) : names;
    });
    assertEquals(found, []);
  });

  it("imports what a folder keeps to itself from nowhere else", () => {
    const found = sources("lib/", "mod.ts", "core.ts", "cli.ts").flatMap((path) => {
      const inner = /from "((?:\.\.?\/)(?:[^"]*\/)?)_[^"/]*"/g;
      return [...read(path).matchAll(inner)]
        .filter(([, folder]) => folder !== "./")
        .map(([line]) => `${path}: ${line}`);
    });
    assertEquals(found, []);
  });
});

describe("files of lib/", () => {
  const lengths = sources("lib/")
    .map((path) => ({ path, lines: read(path).trimEnd().split("\n").length }));

  it(`have at most ${LONGEST} lines`, () => {
    assertEquals(lengths.filter(({ lines }) => lines > LONGEST), []);
  });

  it(`have a median under ${MEDIAN_BELOW} lines`, () => {
    const sorted = lengths.map(({ lines }) => lines).sort((a, b) => a - b);
    const median = sorted[sorted.length >> 1]!;
    assert(median < MEDIAN_BELOW, `the median is ${median}`);
  });
});
