import { describe, it } from "node:test";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { VERSION } from "../../lib/cli/version.ts";
import { inFolder, runCli } from "./cli_process.ts";

describe("cli.ts", { timeout: 60_000 }, () => {
  it("prints help and version to standard output", async () => {
    const [help, version] = await Promise.all([runCli(["--help"]), runCli(["--version"])]);
    assertEquals([help.code, help.stderr], [0, ""]);
    assertStringIncludes(help.stdout, "Usage: rerelay [OPTIONS]");
    assertEquals(version, { code: 0, stdout: `rerelay ${VERSION}\n`, stderr: "" });
  });

  it("refuses wrong arguments in one line, with nothing touched", () =>
    inFolder(async (folder) => {
      const path = join(folder, "a.rrd");
      const ended = await runCli(["--save", path, "--channel-limit", "lots"]);
      assertEquals([ended.code, ended.stdout], [2, ""]);
      assert(/^error: --channel-limit lots: expected a size.*\n$/.test(ended.stderr), ended.stderr);
      assert(!existsSync(path));
    }));

  it("runs from a file that only imports it", async () => {
    const script = fileURLToPath(new URL("./one_line.ts", import.meta.url));
    assertEquals((await runCli(["--version"], { script })).stdout, `rerelay ${VERSION}\n`);
  });

  it("refuses an existing file, untouched, before it opens the port", () =>
    inFolder(async (folder) => {
      const path = join(folder, "a.rrd");
      writeFileSync(path, "precious");
      const { code, stderr } = await runCli(["--port", "0", "--save", path]);
      assertEquals(code, 1);
      assertStringIncludes(stderr, `${path} exists already`);
      assertStringIncludes(stderr, "--force");
      assert(!stderr.includes("Hosting"));
      assertEquals(readFileSync(path, "utf8"), "precious");
    }));

  it("says that a folder is missing before it opens the port", () =>
    inFolder(async (folder) => {
      const { code, stderr } = await runCli(["--port", "0", "--save", join(folder, "no", "a.rrd")]);
      assertEquals(code, 1);
      assertStringIncludes(stderr, "There is no folder");
      assert(!stderr.includes("Hosting"));
    }));

  it("leaves the file alone, --force or not, when the port is taken", () =>
    inFolder(async (folder) => {
      const path = join(folder, "a.rrd");
      writeFileSync(path, "precious");
      const other = createServer();
      await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
      const { port } = other.address() as { port: number };
      try {
        const args = ["--port", String(port), "--save", path, "--force"];
        const { code, stderr } = await runCli(args);
        assertEquals(code, 1);
        assertStringIncludes(stderr, `Failed to bind TCP address "127.0.0.1:${port}".`);
        assertStringIncludes(stderr, "Another Rerun instance is probably running.");
        assertEquals(readFileSync(path, "utf8"), "precious");
      } finally {
        other.close();
      }
    }));
});
