import { after, before, describe, it } from "node:test";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createContext, runInContext } from "node:vm";
import { assert, assertEquals } from "@std/assert";
import { detectRuntime } from "../../lib/adapters/runtime.ts";
import { CAPTURES, expectedCapture, fixture } from "../fixtures.ts";
import type { EdgeProgram } from "./edge_program.ts";
import { ROOT } from "./tree.ts";

/** What browsers, workers and edge runtimes have beside the language itself. */
const WEB = [
  "AbortController",
  "AbortSignal",
  "Blob",
  "clearInterval",
  "clearTimeout",
  "console",
  "crypto",
  "performance",
  "queueMicrotask",
  "ReadableStream",
  "setInterval",
  "setTimeout",
  "TextDecoder",
  "TextEncoder",
  "TransformStream",
  "URL",
  "WritableStream",
] as const;

const DENO = detectRuntime() === "deno";

/**
 * What is bundled for. Deno's own is its default, and picks what packages have for Node; Bun's own
 * begins with an `import.meta` of Bun, whatever the program is.
 */
const PLATFORMS = DENO ? ["browser", "deno"] : ["browser"];

/** All of the program in one script, its packages too. */
function bundle(platform: string, out: string): string {
  const args = DENO
    ? ["bundle", "--quiet", "--no-lock", `--platform=${platform}`, "-o", out]
    : ["build", `--target=${platform}`, `--outfile=${out}`];
  const { status, stderr } = spawnSync(
    process.execPath,
    [...args, "--format=iife", "tests/project/edge_program.ts"],
    { cwd: ROOT, encoding: "utf8" },
  );
  assertEquals(status, 0, stderr);
  return readFileSync(out, "utf8");
}

/** A realm of its own, with the Web's globals alone. */
function webContext(): object {
  const globals = globalThis as Record<string, unknown>;
  return createContext(Object.fromEntries(WEB.map((name) => [name, globals[name]])));
}

describe("the context of these tests", () => {
  it("has none of a runtime's own globals", () => {
    const names = ["Deno", "Bun", "process", "Buffer", "require", "module", "global"];
    const found = runInContext(
      `JSON.stringify(${JSON.stringify(names)}.filter((name) => name in globalThis))`,
      webContext(),
    );
    assertEquals(JSON.parse(found), []);
  });
});

for (const platform of PLATFORMS) {
  describe(`the core in one file, for the platform ${platform}`, () => {
    const folder = mkdtempSync(join(tmpdir(), "rerelay-edge-"));
    let code = "";
    let program: EdgeProgram;
    before(() => {
      code = bundle(platform, join(folder, "edge.js"));
      const context = webContext();
      runInContext(code, context);
      program = context as EdgeProgram;
    });
    after(() => rmSync(folder, { recursive: true }));

    it("is all there is: it imports nothing", () => {
      assert(code.length > 100_000, "too short to be the server with its packages");
      assertEquals(
        code.match(/["'`]node:\w+|^import\b.*|\bimport\(.*|[^_\w.]require\(["'].*/gm),
        null,
      );
    });

    for (const name of CAPTURES) {
      it(`receives ${name} over memory`, async () => {
        const bytes = fixture(`captures/${name}.bin`);
        const { packets } = expectedCapture(name);
        const messages = packets.flatMap(({ messages }) =>
          messages.map(({ type, arrow_ipc_bytes, rows }) =>
            type === "ArrowMsg" ? { type, bytes: arrow_ipc_bytes, rows } : { type }
          )
        );
        assertEquals(JSON.parse(await program.receive(bytes)), { messages });
        const lengths = packets.map(({ packet_bytes }) => packet_bytes);
        assertEquals(JSON.parse(await program.packetLengths(bytes)), lengths);
      });
    }
  });
}
