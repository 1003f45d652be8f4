/** Secrets of NATS in files of their own, as a real server takes them. */
import { describe, it } from "node:test";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { NatsServer, noNats } from "../nats/nats_server.ts";
import { inFolder, runCli, startCli } from "./cli_process.ts";

const SECRET = "hush hush#1";

/** What the server asks for, and the options that say it. */
const WAYS: [name: string, config: string, option: string, more: string[]][] = [
  ["a token", `authorization { token: "${SECRET}" }`, "--nats-token-file", []],
  [
    "a user and a password",
    `authorization { user: me, password: "${SECRET}" }`,
    "--nats-password-file",
    ["--nats-user", "me"],
  ],
];

describe("secrets of NATS", { timeout: 60_000 }, () => {
  for (const [name, config, option, more] of WAYS) {
    it(`are read from a file: ${name}`, { skip: noNats }, () =>
      inFolder(async (folder) => {
        await using server = await NatsServer.start(config);
        const secret = join(folder, "secret");
        writeFileSync(secret, `${SECRET}\n`);
        const args = ["--from", `nats://127.0.0.1:${server.port}`, ...more, option, secret];
        const { cli } = await startCli(args);
        await cli.sees(/Receives from the stream/);
        if (process.platform === "linux") {
          const listed = readFileSync(`/proc/${cli.child.pid}/cmdline`, "utf8");
          assert(listed.includes(option) && !listed.includes("hush"), listed);
        }
        cli.signal("SIGTERM");
        const { code, stderr } = await cli.ended;
        assertEquals(code, 0, stderr);
        assert(!/WARN|ERROR|hush/.test(stderr), stderr);
      }));

    it(`are told where they can't be read, and never printed: ${name}`, () =>
      inFolder(async (folder) => {
        const secret = join(folder, "secret");
        const path = join(folder, "rerelay.toml");
        const lines = [["from", "nats://127.0.0.1:1"], [option.slice(2), secret]];
        if (more.length > 0) lines.push(["nats-user", "me"]);
        writeFileSync(path, lines.map(([key, value]) => `${key} = "${value}"\n`).join(""));
        const missing = await runCli(["config", "--check", path]);
        assertEquals(missing.code, 2, missing.stderr);
        assertStringIncludes(missing.stderr, `${path}, line 2: ${option.slice(2)} ${secret}: `);
        writeFileSync(secret, "hush\nhush\n");
        const wrong = await runCli(["--port", "0", "--config", path]);
        assertEquals(wrong.code, 2, wrong.stderr);
        assertStringIncludes(wrong.stderr, "expected a text without control characters, in one");
        writeFileSync(secret, SECRET);
        const shown = await runCli(["config", "--config", path]);
        assertEquals(shown.code, 0, shown.stderr);
        for (const { stdout, stderr } of [missing, wrong, shown]) {
          assert(!`${stdout}${stderr}`.includes("hush"), stdout + stderr);
        }
      }));
  }
});
