import { describe, it } from "node:test";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { assert, assertEquals } from "@std/assert";
import { projectFiles, read, readJson, ROOT } from "./tree.ts";

interface Declaration {
  readonly kind: string;
  readonly declarationKind: string;
  readonly jsDoc?: { readonly tags?: readonly { readonly kind: string }[] };
  readonly def?: { readonly extends?: unknown };
}

interface Doc {
  readonly nodes: Record<
    string,
    { readonly symbols: readonly { name: string; declarations: readonly Declaration[] }[] }
  >;
}

describe("examples", () => {
  const { exports } = readJson<{ exports: Record<string, string> }>("deno.json");
  const args = ["doc", "--json", ...Object.values(exports)];
  const { stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: ROOT,
    encoding: "utf8",
    maxBuffer: 256 * 1024 * 1024,
  });

  it("are there for each function and class that is exported, but for errors", () => {
    assert(stdout.length > 0, stderr);
    const symbols = Object.values((JSON.parse(stdout) as Doc).nodes).flatMap((node) =>
      node.symbols
    );
    const functions = symbols.flatMap(({ name, declarations }) =>
      declarations.filter(({ kind, declarationKind }) =>
        declarationKind === "export" && (kind === "function" || kind === "class")
      ).map((declaration) => ({ name, declaration }))
    );
    assert(functions.some(({ name }) => name === "ArrowMsg"), "ArrowMsg was not found");
    const bare = functions.filter(({ declaration: { jsDoc, def } }) =>
      !isError(def) && !jsDoc?.tags?.some(({ kind }) => kind === "example")
    );
    assertEquals([...new Set(bare.map(({ name }) => name))].sort(), []);
  });

  it("can be copied: they import packages by name, and read no file of this project", () => {
    const texts = projectFiles().filter((path) => /^(?:README|docs\/.*)\.md$/.test(path)).map(read);
    const all = [...texts, ...stringsIn(JSON.parse(stdout))].flatMap((text) =>
      [...text.matchAll(/^```(?:ts|js|typescript|javascript)\b.*?^```/gms)].map(([code]) => code)
    );
    assert(all.some((code) => code.includes("pageAssets()")), "no example was found");
    assertEquals(all.filter(isBoundHere), []);
  });

  it("are seen where they can't be copied", () => {
    for (const code of ['from "./a.ts"', 'import("../a.ts")', 'open("tests/fixtures/a.rrd")']) {
      assertEquals(isBoundHere(code), true, code);
    }
    assertEquals(isBoundHere('import { serve } from "@rerelay/server";'), false);
  });
});

/** Whether a relative import is in it, or a path that only this project has. */
function isBoundHere(code: string): boolean {
  return /\b(?:from|import\()\s*["']\.|["'`](?:\.\/)?(?:tests|lib|docs)\//.test(code);
}

/** All texts in a JSON value. */
function stringsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(stringsIn) : [];
}

function isError(def: Declaration["def"]): boolean {
  return /Error|InvalidMessage/.test(JSON.stringify(def?.extends ?? ""));
}
