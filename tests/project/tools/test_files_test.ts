import { describe, it } from "node:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { assert, assertEquals } from "@std/assert";
import { testFiles } from "../../../tools/test_files.mjs";
import { read, ROOT, sources } from "../tree.ts";

/** Which tests of a package with these files are quick, and which start programs. */
async function sorted(files: Readonly<Record<string, string>>) {
  const root = mkdtempSync(join(tmpdir(), "rerelay-test-files-"));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, "tests", path)), { recursive: true });
      writeFileSync(join(root, "tests", path), text);
    }
    return await testFiles(root);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

describe("the files of the test commands", () => {
  it("are all tests but those with commands of their own, each once", async () => {
    const { quick, programs } = await testFiles(ROOT);
    const all = sources("tests/").filter((path) =>
      path.endsWith("_test.ts") && !/^tests\/(bench|browser|conformance|fixtures)\//.test(path)
    );
    assertEquals([...quick, ...programs].sort(), all);
    assert(quick.length > 200 && programs.length > 50, `${quick.length} and ${programs.length}`);
  });

  it("go with programs if they start one, by themselves or through a helper of tests", async () => {
    const files = await sorted({
      "pure_test.ts": 'import { a } from "./helper.ts";\nimport "../lib/x.ts";',
      "helper.ts": 'import "./deep/circle.ts";',
      "deep/circle.ts": 'import "../helper.ts";',
      "starts_test.ts": 'import { spawn } from "node:child_process";',
      "deep/through_test.ts": 'import {\n  a,\n} from "./starter.ts";',
      "deep/starter.ts": 'import "../process.ts";',
      "process.ts": "new Deno.Command(name);",
      "fuzz/any_test.ts": "",
      "deep/some_long_test.ts": "",
      "bench/own_test.ts": "",
    });
    assertEquals(files.quick, ["tests/pure_test.ts"]);
    assertEquals(files.programs, [
      "tests/deep/some_long_test.ts",
      "tests/deep/through_test.ts",
      "tests/fuzz/any_test.ts",
      "tests/starts_test.ts",
    ]);
  });

  it("have no hooks at their top where Deno loads many of them as one module", async () => {
    for (const path of (await testFiles(ROOT)).quick) {
      const [hook] = /^(before|after)(All|Each)?\(/m.exec(read(path)) ?? [];
      assertEquals([path, hook], [path, undefined], "it would run around every other file's tests");
    }
  });
});
