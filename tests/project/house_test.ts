import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { circles, homeless, ownClocks, ROOMS, upwards } from "./house.ts";
import { read, sources } from "./tree.ts";

const LIB = new Map(sources("lib/").map((path) => [path, read(path)]));

function leansOnAnother(line: string): boolean {
  return /(\/\*\*|^\s*\*) (The same\b|See the module|As above|Likewise|Ditto|Takes what its)/.test(
    line,
  ) || /\/\*\* (…|(and|but|or|nor|so|then)\b)|^\s*\/\*\* .*[…,] \*\/$/.test(line);
}

describe("the house", () => {
  it("has no circle of imports, of types neither", () => {
    assert(LIB.size > 200);
    assertEquals(circles(LIB), []);
  });

  it("has a room for every file, and but one file beside the rooms", () => {
    assertEquals(homeless(LIB), []);
    assertEquals(ROOMS.filter((room) => room.includes(".")), ["pipeline.ts"]);
  });

  it("has no import that points upwards", () => {
    assertEquals(upwards(LIB), []);
  });

  it("has one clock, that of lib/base/clock.ts, but for adapters and what runs in browsers", () => {
    const own = /^lib\/(adapters\/|viewers\/page\/|base\/clock\.ts)/;
    const others = [...LIB].filter(([path]) => !own.test(path)).flatMap(([path, code]) =>
      ownClocks(code).map((line) => `${path}:${line}`)
    );
    assertEquals(others, []);
    assert(ownClocks(LIB.get("lib/base/clock.ts")!).length > 5);
  });

  it("has no docstring that only another one explains: each says what its own thing is", () => {
    const found = [...LIB].flatMap(([path, code]) =>
      code.split("\n").flatMap((line, i) => leansOnAnother(line) ? [`${path}:${i + 1}`] : [])
    );
    assertEquals(found, []);
    assert(leansOnAnother("  /** The same since bytes came last. */"));
    assert(leansOnAnother("/** See the module. */"));
    assert(leansOnAnother("/** A heavy message has more bytes than this, … */"));
    assert(leansOnAnother("/** How often it looks, in milliseconds, */"));
    assert(leansOnAnother("  /** and how long it waits. */"));
    assert(!leansOnAnother("/** Whether both are of the same store. */"));
  });
});

describe("a house with faults", () => {
  const files = (code: Record<string, string>) => new Map(Object.entries(code));

  it("shows circles: of two, of three, of types, through `import()`, in itself", () => {
    const found = circles(files({
      "lib/a/1.ts": `import type { B } from "./2.ts";`,
      "lib/a/2.ts": `export const b = () => import("./1.ts");`,
      "lib/b/1.ts": `export * from "../c/1.ts";`,
      "lib/c/1.ts": `import "../d/1.ts";`,
      "lib/d/1.ts": `import { x, type Y } from "../b/1.ts";`,
      "lib/e/1.ts": `export { z } from "./1.ts";`,
      "lib/e/2.ts": `import { z } from "./1.ts";`,
      "lib/e/3.ts": `// import { z } from "./3.ts";\nimport { x } from "hono";`,
    }));
    assertEquals(found, [
      ["lib/a/1.ts", "lib/a/2.ts", "lib/a/1.ts"],
      ["lib/b/1.ts", "lib/c/1.ts", "lib/d/1.ts", "lib/b/1.ts"],
      ["lib/e/1.ts", "lib/e/1.ts"],
    ]);
  });

  it("shows a circle that is met from outside, and two that share a file", () => {
    const found = circles(files({
      "lib/1.ts": `import "./2.ts";`,
      "lib/2.ts": `import "./3.ts"; import "./4.ts";`,
      "lib/3.ts": `import "./2.ts";`,
      "lib/4.ts": `import "./2.ts";`,
    }));
    assertEquals(found, [
      ["lib/2.ts", "lib/3.ts", "lib/2.ts"],
      ["lib/2.ts", "lib/4.ts", "lib/2.ts"],
    ]);
  });

  it("shows imports that point upwards", () => {
    const found = upwards(
      files({
        "lib/base/log.ts": `import type { X } from "../encoding/x/y.ts";`,
        "lib/encoding/x/y.ts":
          `import { z } from "./z.ts";\nimport { l } from "../../base/log.ts";`,
        "lib/encoding/x/z.ts": `const late = import("../../cli/main.ts");`,
        "lib/cli/main.ts": `import "../base/log.ts";`,
      }),
    );
    assertEquals(found, [
      "lib/base/log.ts -> lib/encoding/x/y.ts",
      "lib/encoding/x/z.ts -> lib/cli/main.ts",
    ]);
  });

  it("shows clocks of its own, and types of them", () => {
    const found = ownClocks([
      "// performance.now() and setTimeout()",
      "const began = performance.now();",
      "await new Promise((resolve) => setTimeout(resolve, 5));",
      "readonly now?: () => number;",
      "readonly delay: (ms: number) => Promise<void>;",
      'readonly every?: Clock["every"];',
      "const at = this.options.now();",
    ].join("\n"));
    assertEquals(found.map((line) => line.split(":")[0]), ["2", "3", "4", "5"]);
  });

  it("shows files without a room", () => {
    const found = homeless(files({
      "lib/pipeline.ts": "",
      "lib/base/log.ts": "",
      "lib/loose.ts": "",
      "lib/misc/x.ts": "",
    }));
    assertEquals(found, ["lib/loose.ts", "lib/misc/x.ts"]);
  });
});
