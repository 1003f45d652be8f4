import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { fixture } from "../fixtures.ts";
import { open, replay, send, startCli } from "./cli_process.ts";

const CAPTURE = fixture("captures/0.22.1-mixed.bin");

/** The capture with another application id of the same length. */
function withApplication(name: string): Uint8Array {
  const text = [...CAPTURE].map((byte) => String.fromCharCode(byte)).join("");
  const replaced = name.padEnd("rerun_example_capture".length);
  return Uint8Array.from(
    text.replaceAll("rerun_example_capture", replaced),
    (char) => char.charCodeAt(0),
  );
}

describe("cli.ts's log", { timeout: 60_000 }, () => {
  it("tells each client's connect, first recording and leave with totals", async () => {
    const { cli, port } = await startCli([]);
    await replay(port, CAPTURE);
    await cli.sees(/left/);
    cli.signal("SIGINT");
    const { code, stderr } = await cli.ended;
    assertEquals(code, 0);
    const lines = stderr.trimEnd().split("\n")
      .map((line) =>
        line.replace(/^\[\S+Z (\w+) +rerelay\] /, "$1 ").replaceAll(/:\d{4,5}\b/g, ":PORT")
      )
      .map((line) => line.replace(/ in \d.*/, " in TIME"));
    assertEquals(lines, [
      "INFO Hosting a SDK server over TCP at 127.0.0.1:PORT. Connect with the Rerun logging SDK. " +
      'From 0.23 on: rr.connect_grpc("rerun+http://127.0.0.1:PORT/proxy"); ' +
      'before: rr.connect_tcp("127.0.0.1:PORT")',
      "INFO New SDK client connected from: 127.0.0.1:PORT",
      'INFO tcp://127.0.0.1:PORT logs recording "rec-mixed" of application ' +
      '"rerun_example_capture", Rerun SDK 0.22.1',
      "INFO tcp://127.0.0.1:PORT left: 34 messages, 174 kB in TIME",
      "INFO Received 34 messages, 174 kB, from 1 connection",
    ]);
  });

  it("is JSON if asked, with figures as fields", async () => {
    const { cli, port } = await startCli(["--log-format", "json", "--log-level", "debug"]);
    await replay(port, CAPTURE);
    await cli.sees(/left/);
    cli.signal("SIGINT");
    const { stderr } = await cli.ended;
    const lines = stderr.trimEnd().split("\n").map((line) => JSON.parse(line));
    for (const line of lines) {
      assert(!Number.isNaN(Date.parse(line.time)) && line.level && line.message, stderr);
    }
    const hosting = lines[0];
    assertEquals([hosting.hostname, hosting.port], ["127.0.0.1", port]);
    const left = lines.find((line) => line.message.includes("left"));
    // Without the handshake, the lengths of the packets and their RRD headers.
    const messageBytes = CAPTURE.length - 7 - 34 * (4 + 12);
    assertEquals([left.messages, left.bytes, left.level], [34, messageBytes, "info"]);
    const recording = lines.find((line) => line.recording !== undefined);
    assertEquals(
      [recording.recording, recording.application, recording.sdk],
      ["rec-mixed", "rerun_example_capture", "0.22.1"],
    );
  });

  it("shows nothing of a peer's that could act on a terminal", async () => {
    for (const format of ["text", "json"]) {
      const { cli, port } = await startCli(["--log-format", format]);
      await replay(port, withApplication("\x1b[2J\n[fake\x07\x08\x1b]x"));
      await cli.sees(/left/);
      cli.signal("SIGINT");
      const { stderr } = await cli.ended;
      // deno-lint-ignore no-control-regex
      assert(!/[\0-\x09\x0b-\x1f\x7f]/.test(stderr), JSON.stringify(stderr));
      assert(!/^\[fake/m.test(stderr));
      assert(stderr.includes("[2J"));
    }
  });

  it("keeps only warnings, and a picked port, with --quiet", async () => {
    const { cli, port } = await startCli(["--quiet"]);
    await replay(port, CAPTURE);
    const socket = await open(port);
    await send(socket, CAPTURE.subarray(0, 3000));
    socket.destroy();
    await cli.sees(/left early/);
    cli.signal("SIGTERM");
    const { code, stderr } = await cli.ended;
    assertEquals(code, 0);
    const levels = stderr.trimEnd().split("\n").map((line) => line.split(/ +/)[1]);
    assertEquals(levels, ["INFO", "WARN"]);
  });
});
