import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { importsOf, runtimeNames, staticImportsOf, withoutComments } from "./code.ts";

describe("withoutComments", () => {
  it("takes comments out and keeps lines and strings", () => {
    const code = `a; // "b\n/* c\n'd' */ "// e"; '/* f'; \`/* g\n*/\`;`;
    assertEquals(
      withoutComments(code),
      `a;      \n    \n       "// e"; '/* f'; \`/* g\n*/\`;`,
    );
  });
});

describe("importsOf", () => {
  it("finds static ones, re-exports, side effects and import()", () => {
    const code = [
      `import { a } from "a";`,
      `import type { b } from 'b';`,
      `export {\n  c,\n} from "c";`,
      `import "d";`,
      `await import("e");`,
      `// import { f } from "f";`,
    ];
    assertEquals(importsOf(code.join("\n")), ["a", "b", "c", "d", "e"]);
  });
});

describe("staticImportsOf", () => {
  it("leaves out types and import()", () => {
    const code = [
      `import { a } from "a";`,
      `import type { b } from "b";`,
      `export type * from "c";`,
      `export {\n  type D,\n  d,\n} from "d";`,
      `export * from "e";`,
      `import "f";`,
      `export const g = () => import("g");`,
      `export const h = "from";`,
    ];
    assertEquals(staticImportsOf(code.join("\n")), ["a", "d", "e", "f"]);
  });
});

describe("runtimeNames", () => {
  it("finds what only one runtime has", () => {
    const found = [
      `Deno.listen();`,
      `globalThis.Bun;`,
      `import fs from "node:fs";`,
      `await import('node:net');`,
      `process.exit();`,
      `Buffer.from([]);`,
      `Deno?.version;`,
    ];
    for (const line of found) assertEquals(runtimeNames(`\n${line}`), [`2: ${line}`]);
  });

  it("leaves out comments, texts and other words", () => {
    const others = [
      `// Deno.listen()`,
      `/** Bun.listen */`,
      `throw new Error("neither Deno nor Bun");`,
      `if ("Deno" in globals) return;`,
      `import { p } from "./cli/process.ts";`,
      `preprocess.run(); inProcess(); arrayBuffer.slice(); new ArrayBuffer(1);`,
    ];
    assertEquals(runtimeNames(others.join("\n")), []);
  });
});
