import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { refusedAttributes, refusedInPackage } from "../../../tools/import_attributes.mjs";
import { ROOT } from "../tree.ts";

const texts = (code: string) => refusedAttributes(code).map(({ text }) => text);

describe("import attributes", () => {
  it("are refused but for json, in each way to write them", () => {
    for (
      const code of [
        `import a from "./a.html" with { type: "text" };`,
        `import a from './a.html' with { type: 'text' };`,
        `import a from "./a.html" with {\n  type: "text",\n};`,
        `import a from "./a.html" /* which */ with { type: "text" };`,
        `import { type A, b } from "./a.css" with { type: "text" };`,
        `import a from "./a.html" assert { type: "text" };`,
        `import "./a.css" with { type: "css" };`,
        `export * from "./a.bin" with { type: "bytes" };`,
        `export { default as a } from "./a.bin" with { "type": "bytes" };`,
        `const a = await import("./a.html", { with: { type: "text" } });`,
        `const a = import(new URL("./a", import.meta.url).href, {\n  with: { type: "text" },\n});`,
        `import a from "./a.json" with { type: "json", integrity: "x" };`,
        `import a from "./a.json" with { kind: "json" };`,
      ]
    ) {
      assertEquals(refusedAttributes(`\n${code}`).map(({ line }) => line), [2], code);
    }
  });

  it("are taken as json, and not seen where there are none", () => {
    for (
      const code of [
        `import a from "./a.json" with { type: "json" };`,
        `const a = await import("./a.json", { with: { type: "json" } });`,
        `import a from "./a.ts";\nwith_({ type: "text" });`,
        `// import a from "./a.html" with { type: "text" };`,
        ` * import a from "./a.html" with { type: "text" };`,
        `const text = ${JSON.stringify(`import a from "./a.html" with { type: "text" };`)};`,
        `import(name); const o = { with: { type: "text" } };`,
      ]
    ) {
      assertEquals(texts(code), [], code);
    }
  });

  it("of what is published are those that JSR takes", async () => {
    assertEquals(await refusedInPackage(ROOT), []);
  });
});
