import { describe, it } from "node:test";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { inFolder, runCli, startCli } from "./cli_process.ts";

describe("a configuration file and the command line", { timeout: 60_000 }, () => {
  it("host by a file, with a line for what is wrong in the environment", () =>
    inFolder(async (folder) => {
      const path = join(folder, "rerelay.toml");
      const saved = join(folder, "a.rrd");
      writeFileSync(path, `save = ${JSON.stringify(saved)}\nport = 70000\n`);
      const { cli } = await startCli(["--config", path], {
        env: { RERELAY_PROT: "1" },
      });
      await cli.sees(/Saving what is logged to/);
      cli.signal("SIGTERM");
      const { code, stderr } = await cli.ended;
      assertEquals(code, 0);
      assertStringIncludes(stderr, "RERELAY_PROT is none of ours");
      assertStringIncludes(stderr, "did you mean RERELAY_PORT?");
    }));

  it("refuse a file that is wrong, missing or too large", () =>
    inFolder(async (folder) => {
      const wrong = join(folder, "wrong.toml");
      writeFileSync(wrong, "prot = 1\n");
      const large = join(folder, "large.toml");
      writeFileSync(large, "#".repeat(2 ** 20 + 1));
      const cases = [
        [["--config", wrong], `${wrong}, line 1: unknown option prot; did you mean port?`],
        [["--config", join(folder, "none.toml")], "none.toml: "],
        [["--config", large], "larger than 1 MiB"],
        [["config", "--check", wrong], `${wrong}, line 1: unknown option prot`],
        [["config", "--check", wrong, "--port", "1"], "--check FILE stands alone"],
        [["config", "--check"], "--check needs a file"],
        [["config", "--example", "--port"], "--example takes no --port"],
        [["config", "--prot", "1"], "unknown option --prot; did you mean --port?"],
      ] as const;
      const ended = await Promise.all(cases.map(([args]) => runCli([...args])));
      for (const [i, [args, message]] of cases.entries()) {
        const { code, stdout, stderr } = ended[i]!;
        assertEquals([code, stdout], [2, ""], args.join(" "));
        assertStringIncludes(stderr, message);
        assert(/^error: [^\n]*\n$/.test(stderr), stderr);
      }
    }));

  it("reads standard input for --config -", () =>
    inFolder(async (folder) => {
      const path = join(folder, "piped.toml");
      writeFileSync(path, "port = 4711\nprot = 1\n");
      const wrong = await runCli(["--config", "-"], { shell: `exec < ${path}` });
      assertEquals([wrong.code, wrong.stderr.split(";")[0]], [
        2,
        "error: standard input, line 2: unknown option prot",
      ]);
      writeFileSync(path, "port = 4711\n");
      const shown = await runCli(["config", "--config", "-"], { shell: `exec < ${path}` });
      assert(/^port = 4711 +# standard input, line 1: port$/m.test(shown.stdout), shown.stdout);
    }));

  it("takes a token from a file of its own, never from the command line, and shows none", () =>
    inFolder(async (folder) => {
      const secret = join(folder, "token");
      const ports = ["--ws-server-port", "0", "--web-viewer-port", "0"];
      const file = ["--serve-web", ...ports, "--viewer-token-file", secret];
      const cases = [
        [
          ["--serve-web", "--viewer-token", "s3cret"],
          "say --viewer-token-file FILE, or set RERELAY",
        ],
        [["--serve-web", "--viewer-token=s3cret"], "all who list processes"],
        [["config", "--viewer-token", "s3cret"], "all who list processes"],
        [[...file, "--port", "0"], `--viewer-token-file ${secret}: `],
      ] as const;
      for (const [args, message] of cases) {
        const { code, stdout, stderr } = await runCli([...args]);
        assertEquals([code, stdout], [2, ""], stderr);
        assertStringIncludes(stderr, message);
        assert(!stderr.includes("s3cret"), stderr);
      }
      writeFileSync(secret, "s3 cret\n");
      const { code, stderr } = await runCli(["--port", "0", ...file]);
      assertEquals(code, 2, stderr);
      assert(stderr.includes("without spaces, in one line") && !stderr.includes("s3"), stderr);
      writeFileSync(secret, "s3cret\n");
      const { cli } = await startCli(file, { env: { RERELAY_VIEWER_TOKEN: "other" } });
      const [, page] = await cli.sees(/web viewer at (\S+)/);
      assertEquals((await fetch(`${page}status`)).status, 401);
      assertEquals((await fetch(`${page}status?token=other`)).status, 401);
      assertEquals((await fetch(`${page}status?token=s3cret`)).status, 200);
      cli.signal("SIGTERM");
      const ended = await cli.ended;
      assert(!ended.stderr.includes("s3cret"), ended.stderr);
    }));

  it("show what is in force, and find no mistake in what has none", () =>
    inFolder(async (folder) => {
      const path = join(folder, "rerelay.toml");
      writeFileSync(path, 'bind = "::1"\nserve-web = true\nviewer-token = "s3cret"\n');
      const env = { RERELAY_QUIET: "true" };
      const [shown, json, checked, example, help] = await Promise.all([
        runCli(["config", "--config", path, "--port", "1"], { env }),
        runCli(["config", "--json"], { env: { ...env, RERELAY_CONFIG: path } }),
        runCli(["config", "--check", path]),
        runCli(["config", "--example"]),
        runCli(["config", "--help"]),
      ]);
      assert(/^port = 1 +# --port$/m.test(shown.stdout), shown.stdout);
      assert(/^quiet = true +# RERELAY_QUIET$/m.test(shown.stdout), shown.stdout);
      assertStringIncludes(shown.stdout, `# ${path}, line 1: bind`);
      assert(!`${shown.stdout}${json.stdout}`.includes("s3cret"));
      assertEquals(JSON.parse(json.stdout).bind.source, "file");
      assertEquals(checked, { code: 0, stdout: `${path}: 3 options, no mistake\n`, stderr: "" });
      assertStringIncludes(example.stdout, "# port = 9876");
      assertStringIncludes(help.stdout, "rerelay config --check FILE");
    }));
});
