import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync, readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { capturePackets, fixture } from "../fixtures.ts";
import { inTime } from "../in_time.ts";
import { concat } from "../sinks/messages.ts";
import { inFolder, open, replay, send, startCli } from "./cli_process.ts";

const NAME = "0.22.1-mixed";
const CAPTURE = fixture(`captures/${NAME}.bin`);
const SAVED = concat(
  capturePackets(NAME)[0]!.subarray(0, 12),
  ...capturePackets(NAME).map((packet) => packet.subarray(12)),
  new Uint8Array(8),
);

/** Sends a little every few milliseconds until the connection is closed, and then resolves. */
async function drip(socket: Socket, bytes: Uint8Array, step: number): Promise<void> {
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  let at = 0;
  socket.on("error", () => {});
  socket.resume();
  const timer = setInterval(() => {
    if (at < bytes.length) socket.write(bytes.subarray(at, at += step));
  }, 20);
  await closed;
  clearInterval(timer);
}

describe("cli.ts stopped by a signal", { timeout: 60_000 }, () => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    it(`reads what an SDK is still sending, then exits with 0 (${signal})`, () =>
      // The rest has to come within the tenth of a second after which the SDK counts as quiet.
      inTime(() =>
        inFolder(async (folder) => {
          const path = join(folder, "a.rrd");
          const { cli, port } = await startCli(["--save", path]);
          const socket = await open(port);
          const closed = new Promise((resolve) => socket.on("close", resolve));
          socket.resume();
          await send(socket, CAPTURE.subarray(0, 5000));
          await cli.sees(/logs recording/);
          cli.signal(signal);
          await cli.sees(/Stopping when 1 client went quiet/);
          await send(socket, CAPTURE.subarray(5000));
          const { code, stderr } = await cli.ended;
          await closed;
          assertEquals(code, 0, stderr);
          assertEquals(new Uint8Array(readFileSync(path)), SAVED);
        })
      ));
  }

  it("accepts nobody any more", () =>
    inTime(async () => {
      const { cli, port } = await startCli([]);
      const socket = await open(port);
      const dripped = drip(socket, CAPTURE, 10);
      await cli.sees(/New SDK client/);
      cli.signal("SIGINT");
      await cli.sees(/Stopping/);
      let draining = true;
      dripped.then(() => draining = false);
      // Whoever waited at the port is let in first, which takes a tenth of a second at most. Knocking without
      // a pause could meet the very moment of closing: the system then tries for us again after a second.
      for (let refused = false; !refused;) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        refused = await open(port).then((late) => {
          late.destroy();
          return false;
        }, () => true);
      }
      assert(draining);
      await dripped;
      assertEquals((await cli.ended).code, 0);
    }));

  it("is held up by a client that never ends for little more than a second", () =>
    inTime(() =>
      inFolder(async (folder) => {
        const path = join(folder, "a.rrd");
        const { cli, port } = await startCli(["--save", path]);
        const dripped = drip(await open(port), CAPTURE, 100);
        await cli.sees(/New SDK client/);
        const start = performance.now();
        cli.signal("SIGTERM");
        const { code, stderr } = await cli.ended;
        const seconds = (performance.now() - start) / 1000;
        await dripped;
        assertEquals(code, 0);
        // What it still sends is not among what came in, and nobody is told that all is well.
        const said = stderr.match(
          /WARN .*1 client was still sending after 1 s: what had not come in/g,
        );
        assertEquals(said?.length, 1, stderr);
        // Code 0 says that it was less than 1.8 s, when it would have been cut.
        assert(seconds > 0.9, `${seconds} s`);
        // Whole messages, and the end marker.
        const saved = new Uint8Array(readFileSync(path));
        const body = saved.length - 8;
        assertEquals(saved.subarray(0, body), SAVED.subarray(0, body));
        assert(saved.subarray(body).every((byte) => byte === 0));
      })
    ));

  for (
    const { first, second, code } of [
      { first: "SIGTERM", second: "SIGINT", code: 130 },
      { first: "SIGHUP", second: "SIGHUP", code: 129 },
    ] as const
  ) {
    // Had it gone on to the end of the drain, or had the second signal come after it, it would be 0.
    it(`ends at once with ${code} at a ${second} after a ${first}`, () =>
      inTime(async () => {
        const { cli, port } = await startCli([]);
        const dripped = drip(await open(port), CAPTURE, 10);
        await cli.sees(/New SDK client/);
        cli.signal(first);
        await cli.sees(/Stopping/);
        // Closer together they would count as one.
        await new Promise((resolve) => setTimeout(resolve, 100));
        cli.signal(second);
        const ended = await cli.ended;
        await dripped;
        assertEquals(ended.code, code);
      }));
  }

  const seesMask = process.platform === "linux" ? it : it.skip;
  seesMask(
    "goes on at a SIGHUP that was ignored at its start, as nohup has it",
    () =>
      inFolder(async (folder) => {
        // Half a second after its start Deno takes the signal, so that a start on a busy machine can't
        // see what it was to ignore, and says so: one of five is fast enough.
        for (let start = 1; start <= 5; start++) {
          const path = join(folder, `${start}.rrd`);
          const { cli, port } = await startCli(["--save", path], { shell: "trap '' HUP" });
          cli.signal("SIGHUP");
          const isOver = await replay(port, CAPTURE).then(() => false, () => true);
          if (isOver && start < 5) {
            assert(/WARN .*nohup.*can't be seen/.test((await cli.ended).stderr));
            continue;
          }
          await cli.sees(/left: 34 messages/);
          cli.signal("SIGHUP");
          cli.signal("SIGTERM");
          const { code, stderr } = await cli.ended;
          assertEquals([code, stderr.includes("nohup")], [0, false], stderr);
          return assertEquals(new Uint8Array(readFileSync(path)), SAVED);
        }
      }),
  );

  const isDeno = !("Bun" in globalThis);
  const unseen = isDeno && process.platform === "linux" ? it : it.skip;
  unseen("ends at SIGHUP where it can't see whether to ignore it, and says so once", async () => {
    const permissions = ["--no-prompt", "--allow-net", "--allow-env"];
    const { cli } = await startCli([], { permissions, shell: "trap '' HUP" });
    cli.signal("SIGHUP");
    const { code, stderr } = await cli.ended;
    assertEquals(code, 0, stderr);
    assertEquals(stderr.match(/WARN .*nohup.*can't be seen/g)?.length, 1, stderr);
  });

  seesMask("is not ended by SIGPIPE", async () => {
    const { cli, port } = await startCli([]);
    process.kill(cli.child.pid!, "SIGPIPE");
    await replay(port, CAPTURE);
    await cli.sees(/left: 34 messages/);
    cli.signal("SIGTERM");
    assertEquals((await cli.ended).code, 0);
  });

  const pipes = process.platform === "win32" ? it.skip : it;
  pipes(
    "ends while a named pipe waits for its reader, and says what is lost by that",
    () =>
      inFolder(async (folder) => {
        const path = join(folder, "a.rrd");
        execFileSync("mkfifo", [path]);
        for (const sent of [0, 34]) {
          const { cli, port } = await startCli(["--save", path, "--force"]);
          await cli.sees(/Waiting for .*a\.rrd to open: a named pipe/);
          if (sent > 0) await replay(port, CAPTURE);
          cli.signal("SIGTERM");
          const { code, stderr } = await cli.ended;
          assertEquals(code, sent === 0 ? 0 : 1, stderr);
          const lost = /Stopped before .* was open: (\d+) messages \(174 kB\) .* lost/.exec(stderr);
          assertEquals(Number(lost?.[1] ?? 0), sent, stderr);
        }
      }),
  );

  it("takes two signals in one moment, as Ctrl-C through a starter gives, for one", async () => {
    const { cli, port } = await startCli([]);
    const dripped = drip(await open(port), CAPTURE, 10);
    await cli.sees(/New SDK client/);
    cli.signal("SIGINT");
    cli.signal("SIGTERM");
    await dripped;
    assertEquals((await cli.ended).code, 0);
  });

  // Bun writes at positions, which pipes do not have.
  const fifos = process.platform === "linux" && !("Bun" in globalThis) ? it : it.skip;
  fifos(
    "says what is lost, and exits with 1, when the file takes nothing any more",
    () =>
      inFolder(async (folder) => {
        // A pipe that nobody reads holds 64 KiB, then its writer hangs: as a disk gone astray.
        const path = join(folder, "a.rrd");
        execFileSync("mkfifo", [path]);
        const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
        try {
          const { cli, port } = await startCli(["--save", path, "--force"]);
          await cli.sees(/Saving what is logged/);
          const socket = await open(port);
          socket.on("error", () => {});
          socket.resume();
          for (let i = 0; i < 3; i++) await send(socket, CAPTURE.subarray(i === 0 ? 0 : 7));
          await cli.sees(/logs recording/);
          socket.end();
          cli.signal("SIGTERM");
          const { code, stderr } = await cli.ended;
          assertEquals(code, 1);
          const lost = /Cut off after 1\.8 s: (\d+) messages \(\d+ kB\) .* lost/.exec(stderr);
          const saved = /Saved (\d+) messages?,/.exec(stderr);
          assertEquals(Number(lost?.[1]) + Number(saved?.[1]), 3 * 34, stderr);
        } finally {
          closeSync(reader);
        }
      }),
  );

  const full = process.platform === "linux" ? it : it.skip;
  full("exits with 1 if the disk was full", async () => {
    const { cli, port } = await startCli(["--save", "/dev/full", "--force"]);
    await replay(port, CAPTURE);
    await cli.sees(/left: 34 messages/);
    cli.signal("SIGINT");
    const { code, stderr } = await cli.ended;
    assertEquals(code, 1);
    assert(/ERROR .*\/dev\/full ends after 0 messages/.test(stderr), stderr);
    assert(/ERROR .*\/dev\/full lost 34 messages \(174078 bytes\)/.test(stderr), stderr);
  });
});
