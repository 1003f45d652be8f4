import { describe, it } from "node:test";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { VERSION } from "../../lib/cli/version.ts";
import { inFolder, runCli, startCli } from "./cli_process.ts";

describe("cli.ts", { timeout: 60_000 }, () => {
  it("prints help and version to standard output", async () => {
    const [help, version] = await Promise.all([runCli(["--help"]), runCli(["--version"])]);
    assertEquals([help.code, help.stderr], [0, ""]);
    assertStringIncludes(help.stdout, "Usage: rerelay [OPTIONS]");
    assertEquals(version, { code: 0, stdout: `rerelay ${VERSION}\n`, stderr: "" });
    const { stdout } = await runCli(["--version", "--json"]);
    const { runtime, executable, ...told } = JSON.parse(stdout);
    const { platform, arch } = process;
    assertEquals(told, { name: "rerelay", version: VERSION, platform, arch });
    assertEquals([/^(deno|bun) \d+\.\d+\.\d+/.test(runtime), executable], [true, false]);
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

  it("makes a folder that is missing, and says why it can't", () =>
    inFolder(async (folder) => {
      const path = join(folder, "new", "one", "a.rrd");
      const { cli } = await startCli(["--save", path]);
      await cli.sees(/Saving what is logged to/);
      cli.signal("SIGTERM");
      assertEquals((await cli.ended).code, 0);
      assertEquals(readFileSync(path).length, 20);
      for (const name of ["b.rrd", "{recording_id}.rrd"]) {
        const { code, stderr } = await runCli(["--port", "0", "--save", join(path, name)]);
        assertEquals(code, 1);
        assertStringIncludes(stderr, `Can't write ${join(path, name)}`);
      }
    }));

  it("touches nothing beside an unfinished file of somebody else", () =>
    inFolder(async (folder) => {
      const path = join(folder, "a.rrd");
      writeFileSync(`${path}.part`, "notes of the user");
      const { code, stderr } = await runCli(["--port", "0", "--save", path, "--force"]);
      assertEquals(code, 1);
      assertStringIncludes(stderr, `${path}.part is there already`);
      assertEquals(readdirSync(folder), ["a.rrd.part"]);
      assertEquals(readFileSync(`${path}.part`, "utf8"), "notes of the user");
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
