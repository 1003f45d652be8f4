import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { RrdDecoder } from "../../lib/encoding/rrd/rrd_decoder.ts";
import type { LogMsg } from "../../lib/encoding/log_msg.ts";
import { storeOf } from "../../lib/encoding/store_of.ts";
import { framed, HELLO } from "../encoding/rrd_builder.ts";
import { capturePackets, fixture } from "../fixtures.ts";
import { concat } from "../sinks/messages.ts";
import { Cli, inFolder, open, replay, runCli, send, startCli } from "./cli_process.ts";

const LEFT_BEHIND = /left by an earlier run, as /;

function decode(path: string): LogMsg[] {
  const { items, error } = new RrdDecoder().push(new Uint8Array(readFileSync(path)));
  if (error !== undefined) throw error;
  return items;
}

function recordings(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.endsWith(".rrd")).sort();
}

/** Resolves when a look at the disk finds it so. */
async function until(found: () => boolean): Promise<void> {
  while (!found()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe("two programs that save under one name", { timeout: 60_000 }, () => {
  it("refuses the second, which leaves the first alone, until that is gone", () =>
    inFolder(async (folder) => {
      const path = join(folder, "a.rrd");
      const { cli, port } = await startCli(["--save", path]);
      const refused = await runCli(["--port", "0", "--save", path, "--force"]);
      assertEquals([refused.code, refused.stdout], [1, ""], refused.stderr);
      assert(refused.stderr.includes(`${cli.child.pid}`), refused.stderr);
      await replay(port, fixture("captures/0.22.1-mixed.bin"));
      await cli.sees(/left: /);
      const sent = capturePackets("0.22.1-mixed").length;
      await until(() => decode(`${path}.part`).length === sent);
      cli.child.kill("SIGKILL");
      await cli.ended;
      const next = await startCli(["--save", path, "--force"]);
      await next.cli.sees(LEFT_BEHIND);
      assertEquals(decode(join(folder, "a.2.rrd")).length, sent);
      next.cli.signal("SIGTERM");
      assertEquals((await next.cli.ended).code, 0);
    }));

  it("lets one of two through that start at once", () =>
    inFolder(async (folder) => {
      const args = ["--port", "0", "--save", join(folder, "a.rrd")];
      const both = [new Cli(args), new Cli(args)];
      const refused = await Promise.race(both.map((cli) => cli.ended.then(() => cli)));
      const [winner] = both.filter((cli) => cli !== refused);
      await winner!.sees(/Hosting a SDK server/);
      const { code, stderr } = await refused.ended;
      assertEquals(code, 1);
      assert(stderr.includes(`Process ${winner!.child.pid} saves`), stderr);
      winner!.signal("SIGTERM");
      assertEquals((await winner!.ended).code, 0);
      assertEquals(readdirSync(folder).sort(), ["a.rrd", "a.rrd.index.jsonl"]);
    }));
});

describe("a restart while an SDK logs", { timeout: 60_000 }, () => {
  for (const [capture, end] of [["0.22.1-blueprint", "SIGKILL"], ["0.18.2-mixed", "SIGTERM"]]) {
    it(`${end}: the next files of ${capture} open alone`, () =>
      inFolder(async (folder) => {
        const args = ["--save", join(folder, "{recording_id}-{part}.rrd")];
        const packets = capturePackets(capture!);
        const isOfRecording = (msg: LogMsg) => storeOf(msg)?.kind === "Recording";
        const messages = packets.map((packet) => new RrdDecoder().push(packet).items[0]!);
        const announced = messages.findIndex((msg) =>
          msg.kind === "SetStoreInfo" && isOfRecording(msg)
        );
        // SDKs announce a recording once, whoever is there when they reconnect.
        const half = Math.max(announced + 1, Math.floor(packets.length / 2));
        const rest = packets.slice(half).filter((_, i) => isOfRecording(messages[half + i]!));
        assert(half > 0 && rest.length > 0);

        const { cli, port } = await startCli(args);
        const socket = await open(port);
        socket.on("error", () => {});
        await send(socket, concat(HELLO, ...packets.slice(0, half).map(framed)));
        const written = () =>
          readdirSync(folder).filter((name) => name.endsWith(".part"))
            .reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
        const sent = packets.slice(0, half).reduce((sum, { length }) => sum + length - 12, 0);
        await until(() => written() >= sent);
        if (end === "SIGKILL") cli.child.kill("SIGKILL");
        else cli.signal("SIGTERM");
        await cli.ended;
        socket.destroy();
        const next = await startCli(args);
        if (end === "SIGKILL") await next.cli.sees(LEFT_BEHIND);
        const before = recordings(folder);
        await replay(next.port, concat(HELLO, ...rest.map(framed)));
        await next.cli.sees(/left: /);
        next.cli.signal("SIGTERM");
        assertEquals((await next.cli.ended).code, 0);

        const later = recordings(folder).filter((name) => !before.includes(name));
        assertEquals(later.length, 1, later.join());
        const [first, ...others] = decode(join(folder, later[0]!));
        const original = messages[announced]!;
        assert(first?.kind === "SetStoreInfo" && original.kind === "SetStoreInfo");
        assertEquals(first.encoded.bytes, original.encoded.bytes);
        assertEquals(
          others.map(({ encoded }) => encoded.bytes),
          rest.map((packet) => packet.subarray(12)),
        );
      }));
  }
});
