import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { RrdDecoder } from "../../lib/encoding/rrd/rrd_decoder.ts";
import { capturePackets, fixture } from "../fixtures.ts";
import { seeded } from "../random.ts";
import { concat } from "../sinks/messages.ts";
import { inFolder, open, replay, send, startCli } from "./cli_process.ts";

const CAPTURE = "0.22.1-mixed";
const PACKETS = capturePackets(CAPTURE);

function decode(path: string) {
  const decoder = new RrdDecoder();
  const { items, error } = decoder.push(new Uint8Array(readFileSync(path)));
  if (error !== undefined) throw error;
  return items;
}

/** Resolves when a look at the disk finds it so. */
async function until(found: () => boolean): Promise<void> {
  while (!found()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe("cli.ts --save PATTERN", { timeout: 60_000 }, () => {
  it("gives each recording a file, listed in an index", () =>
    inFolder(async (folder) => {
      const pattern = join(folder, "{application_id}-{recording_id}.rrd");
      const { cli, port } = await startCli(["--save", pattern, "--compress", "lz4"]);
      for (const name of [CAPTURE, "0.20.3-mixed"]) {
        await replay(port, fixture(`captures/${name}.bin`));
      }
      await cli.sees(/(left: [^]*){2}/);
      cli.signal("SIGTERM");
      const { code, stderr } = await cli.ended;
      assertEquals(code, 0, stderr);
      const files = readdirSync(folder).filter((name) => name.endsWith(".rrd"));
      const index = "{application_id}-{recording_id}.rrd.index.jsonl";
      assertEquals(readdirSync(folder).sort(), [...files, index].sort());
      const messages = files.flatMap((name) => decode(join(folder, name)));
      const sent = PACKETS.length + capturePackets("0.20.3-mixed").length;
      assertEquals(messages.length, sent, stderr);
    }));
});

describe("cli.ts ended by kill -9", { timeout: 60_000 }, () => {
  it("leaves whole messages, which the next start gives a name", () =>
    inFolder(async (folder) => {
      const random = seeded(9);
      const path = join(folder, "a.rrd");
      const sent = PACKETS.map((packet) => packet.subarray(12));
      for (let round = 2; round < 5; round++) {
        const { cli, port } = await startCli(["--save", path]);
        const socket = await open(port);
        socket.on("error", () => {});
        const bytes = fixture(`captures/${CAPTURE}.bin`);
        const cut = 50_000 + Math.floor(random() * (bytes.length - 50_000));
        await send(socket, bytes.subarray(0, cut));
        await until(() =>
          existsSync(`${path}.part`) && readFileSync(`${path}.part`).length > 30_000
        );
        cli.child.kill("SIGKILL");
        await cli.ended.catch(() => {});
        socket.destroy();
        assert(!existsSync(path));
        const next = await startCli(["--save", path, "--force"]);
        const kept = join(folder, `a.${round}.rrd`);
        await next.cli.sees(/left by an earlier run, as /);
        const messages = decode(kept);
        assert(messages.length > 0);
        const whole = sent.slice(0, messages.length);
        assertEquals(new Uint8Array(readFileSync(kept)).slice(12), concat(...whole));
        next.cli.signal("SIGTERM");
        assertEquals((await next.cli.ended).code, 0);
        // The empty recording of this start.
        assertEquals(readFileSync(path).length, 20);
        rmSync(path);
      }
    }));
});

describe("cli.ts under ulimit -f", { timeout: 60_000 }, () => {
  const limited = process.platform === "win32" ? it.skip : it;
  limited("goes on in the next file, and loses nothing", () =>
    inFolder(async (folder) => {
      const args = ["--save", join(folder, "a.rrd")];
      const { cli, port } = await startCli(args, { fileBlocks: 200 });
      await replay(port, fixture(`captures/${CAPTURE}.bin`));
      await cli.sees(/left: /);
      cli.signal("SIGTERM");
      const { code, stderr } = await cli.ended;
      assertEquals(code, 0, stderr);
      const files = readdirSync(folder).filter((name) => name.endsWith(".rrd"));
      assert(files.length > 1, stderr);
      const found = new Set(files.flatMap((name) => {
        const bytes = readFileSync(join(folder, name));
        assert(bytes.length <= 200 * 1024);
        return decode(join(folder, name)).map(({ encoded }) => encoded.bytes.join());
      }));
      for (const packet of PACKETS) assert(found.has(packet.subarray(12).join()));
    }));
});

describe("cli.ts --on-save-error stop", { timeout: 60_000 }, () => {
  const full = existsSync("/dev/full") ? it : it.skip;
  full("ends the program when the disk is full", async () => {
    const { cli, port } = await startCli([
      "--save",
      "/dev/full",
      "--force",
      "--on-save-error",
      "stop",
    ]);
    await replay(port, fixture(`captures/${CAPTURE}.bin`));
    const { code, stderr } = await cli.ended;
    assertEquals(code, 1);
    assert(stderr.includes("/dev/full ends after 0 messages"), stderr);
  });
});
