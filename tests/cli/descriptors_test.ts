import { describe, it } from "node:test";
import { assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { startChild } from "../contract/child.ts";
import { concat, framed, HELLO } from "../encoding/rrd_builder.ts";
import { ClientPackets } from "../soak/client_packets.ts";
import { inFolder, open, send, startCli } from "./cli_process.ts";

const CROWD = new URL("crowd_child.ts", import.meta.url);
const PACKETS = 5;

/** What a client logs to a recording of its own. */
function recording(client: number): Uint8Array {
  const packets = new ClientPackets(client, 5000);
  return concat(...Array.from({ length: PACKETS }, () => framed(packets.next())));
}

describe("cli.ts with few file descriptors", {
  timeout: 60_000,
  skip: process.platform !== "linux" && "the limit is read from /proc",
}, () => {
  for (const viewers of [[], ["--serve-web", "--ws-server-port=0", "--web-viewer-port=0"]]) {
    it(`saves new recordings while idle peers take all they get ${viewers}`, () =>
      inFolder(async (folder) => {
        const args = ["--save", join(folder, "{recording_id}.rrd"), ...viewers];
        const { cli, port } = await startCli(args, { openFiles: 128 });
        const honest = await open(port);
        await send(honest, concat(HELLO, recording(0)));
        await cli.sees(/logs recording "rec000000"/);
        const web = viewers.length > 0
          ? (await cli.sees(/viewer at http:\/\/127\.0\.0\.1:(\d+)/))[1]!
          : undefined;
        const crowds = [port, web].filter((port) => port !== undefined)
          .map((port) => startChild(CROWD, [String(port)], 1024));
        try {
          for (const crowd of crowds) {
            await crowd.next();
            crowd.tell("idle 300");
          }
          await cli.sees(/Failed to accept incoming SDK client: .*only 128 files/);
          for (let i = 1; i <= 5; i++) await send(honest, recording(i));
          honest.end();
          honest.resume();
          await new Promise((resolve) => honest.once("close", resolve));
          cli.signal("SIGTERM");
          const { code, stderr } = await cli.ended;
          assertEquals([
            code,
            readdirSync(folder).filter((name) => /^rec.*\.rrd$/.test(name)).length,
          ], [
            0,
            6,
          ]);
          assertLess(stderr.split("\n").length, 100);
        } finally {
          for (const crowd of crowds) await crowd.stop();
        }
      }));
  }

  it("saves each of more recordings than it may have files open into one file", () =>
    inFolder(async (folder) => {
      const args = ["--save", join(folder, "{recording_id}-{part}.rrd"), "--quiet"];
      const { cli, port } = await startCli(args, { openFiles: 64 });
      const socket = await open(port);
      await send(socket, HELLO);
      for (let i = 0; i < 150; i++) await send(socket, recording(i));
      for (let round = 0; round < 5; round++) {
        for (let i = 0; i < 150; i += 10) await send(socket, recording(i));
      }
      socket.end();
      socket.resume();
      await new Promise((resolve) => socket.once("close", resolve));
      cli.signal("SIGTERM");
      const { code, stderr } = await cli.ended;
      assertEquals([code, stderr.match(/WARN|ERROR/g)], [0, ["WARN"]]);
      assertStringIncludes(stderr, "ulimit -n");
      assertEquals(
        readdirSync(folder).filter((name) => name.endsWith(".rrd")).length,
        150,
      );
    }));
});
