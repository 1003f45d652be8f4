/** Secrets of NATS in files of their own, as a real server takes them. */
import { describe, it } from "node:test";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { connectSdk, Robot, send } from "../fleet/robot.ts";
import { makeCertificates, noOpenssl } from "../nats/certificates.ts";
import { jwtAccount } from "../nats/jwt.ts";
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

  it("are in files that are there: else the arguments are wrong, and nothing is begun", async () => {
    for (const option of ["--nats-credentials", "--nats-ca"]) {
      const args = ["--port", "0", "--from", "nats://127.0.0.1:1", option, "/no/such/file"];
      const { code, stderr } = await runCli(args);
      assertEquals(code, 2, stderr);
      assertStringIncludes(stderr, `${option} /no/such/file can't be read: `);
    }
  });

  it("go over TLS with certificates and a credentials file, from a box to a middle", {
    skip: noNats || noOpenssl,
    timeout: 60_000,
  }, () =>
    inFolder(async (folder) => {
      makeCertificates(folder);
      const { config, credentials } = jwtAccount();
      const file = (name: string) => join(folder, name);
      writeFileSync(file("box.creds"), credentials);
      const [cert, key, ca] = ["server.pem", "server.key", "ca.pem"].map(file);
      const tls = `cert_file: "${cert}", key_file: "${key}", ca_file: "${ca}", verify: true`;
      await using server = await NatsServer.start(`${config}\ntls { ${tls} }`);
      const url = `tls://127.0.0.1:${server.port}`;
      const options = [
        ...["--nats-ca", file("ca.pem"), "--nats-cert", file("client.pem")],
        ...["--nats-key", file("client.key"), "--nats-credentials", file("box.creds")],
      ];
      const save = file("{recording_id}-{part}.rrd");
      const box = await startCli(["--save", save, "--forward", url, "--box", "box-7", ...options]);
      const socket = await connectSdk(box.port);
      const robot = new Robot("over-tls");
      await send(socket, robot.announcement());
      await send(socket, robot.scalar("/a", 1, 1));
      socket.end();
      const { cli } = await startCli(["--from", url, ...options]);
      await cli.sees(/nats box-7 logs recording "over-tls"/);
      for (const one of [box.cli, cli]) {
        one.signal("SIGTERM");
        const { code, stderr } = await one.ended;
        assertEquals(code, 0, stderr);
        assert(!/ERROR|takes nothing now/.test(stderr), stderr);
      }
      // A stranger is let in by nobody, and told why.
      const stranger = await startCli(["--from", url, ...options.slice(0, 6)]);
      await stranger.cli.sees(/ERROR.*tls:.*--nats-credentials/);
      stranger.cli.signal("SIGTERM");
      await stranger.cli.ended;
    }));
});
