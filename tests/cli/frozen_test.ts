import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import process from "node:process";
import { inTime } from "../in_time.ts";
import { fixture } from "../fixtures.ts";
import { open, send, startCli } from "./cli_process.ts";

const CAPTURE = fixture("captures/0.22.1-mixed.bin");
const HALF = 100_000;

/** Longer than each deadline, and than what is taken for a pause. */
const FROZEN_MS = 2000;

describe("cli.ts that was frozen", { timeout: 60_000 }, () => {
  const stoppable = process.platform === "win32" ? it.skip : it;

  // It has to be stopped within the second that it waits for each of them.
  stoppable(
    "receives what was sent meanwhile before it judges who is late",
    () =>
      inTime(async () => {
        const timeouts = ["handshake", "packet", "idle"].flatMap((of) => [`--${of}-timeout`, "1s"]);
        const { cli, port } = await startCli(timeouts);
        const greeting = await open(port);
        await send(greeting, CAPTURE.subarray(0, 3));
        const between = await open(port);
        await send(between, CAPTURE.subarray(0, 7));
        const inside = await open(port);
        await send(inside, CAPTURE.subarray(0, HALF));
        await cli.sees(/logs recording/);

        process.kill(cli.child.pid!, "SIGSTOP");
        for (const [socket, at] of [[greeting, 3], [between, 7], [inside, HALF]] as const) {
          socket.on("error", () => {});
          socket.end(CAPTURE.subarray(at));
        }
        await new Promise((resolve) => setTimeout(resolve, FROZEN_MS));
        process.kill(cli.child.pid!, "SIGCONT");

        await cli.sees(/(left: 34 messages[^]*){3}/);
        cli.signal("SIGTERM");
        const { code, stderr } = await cli.ended;
        assertEquals(code, 0);
        assert(!/WARN|ERROR/.test(stderr), stderr);
      }),
  );

  stoppable("still ends those that send nothing more", async () => {
    const { cli, port } = await startCli(["--packet-timeout", "1s"]);
    const inside = await open(port);
    inside.on("error", () => {});
    await send(inside, CAPTURE.subarray(0, HALF));
    await cli.sees(/logs recording/);
    process.kill(cli.child.pid!, "SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, FROZEN_MS));
    process.kill(cli.child.pid!, "SIGCONT");
    await cli.sees(/then none for 1 s \(--packet-timeout/);
    cli.signal("SIGTERM");
    assertEquals((await cli.ended).code, 0);
  });
});
