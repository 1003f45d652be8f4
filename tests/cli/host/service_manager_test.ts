import { describe, it } from "node:test";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import process from "node:process";
import { serviceManager } from "../../../lib/cli/host/service_manager.ts";
import { unixReceiver } from "../../adapters/process/unix_receiver.ts";
import { inFolder, startCli } from "../cli_process.ts";

/** A service manager whose socket, clock and log are in this test. */
function managed(env: Record<string, string>, { takes = true, fails = false } = {}) {
  const sent: string[] = [];
  const lines: string[] = [];
  const timers: { ms: number; task: () => void; isOver: boolean }[] = [];
  const manager = serviceManager({
    env: (name) => env[name],
    pid: 7,
    log: { enabled: () => true, write: (level, text) => lines.push(`${level}: ${text}`) },
    open: (name) => {
      if (fails) throw new Error("not permitted");
      sent.push(`to ${name}`);
      return (bytes) => {
        if (takes) sent.push(new TextDecoder().decode(bytes));
        return takes;
      };
    },
    every: (ms, task) => {
      const timer = { ms, task, isOver: false };
      timers.push(timer);
      return () => timer.isOver = true;
    },
  });
  return { manager, sent, lines, timers };
}

describe("systemd", () => {
  it("is told that the service is ready, alive and stopping", () => {
    const env = { NOTIFY_SOCKET: "/run/notify", WATCHDOG_USEC: "30000000", WATCHDOG_PID: "7" };
    const { manager, sent, lines, timers } = managed(env);
    manager.ready("two\nlines");
    assertEquals(timers.map(({ ms }) => ms), [15_000]);
    timers[0]!.task();
    manager.stopping();
    timers[0]!.task();
    manager.close();
    assertEquals(sent, [
      "to /run/notify",
      "READY=1\nSTATUS=two lines",
      "WATCHDOG=1",
      "STOPPING=1",
      "WATCHDOG=1",
    ]);
    assertEquals([timers[0]!.isOver, lines], [true, []]);
  });

  it("is told nothing where it does not ask", () => {
    const { manager, sent, timers } = managed({ WATCHDOG_USEC: "30000000" });
    manager.ready("");
    manager.stopping();
    manager.close();
    assertEquals([sent, timers], [[], []]);
  });

  it("gets no watchdog's word that is meant for another process, or for nobody", () => {
    for (
      const more of [
        { WATCHDOG_USEC: "30000000", WATCHDOG_PID: "8" },
        { WATCHDOG_USEC: "0" },
        { WATCHDOG_USEC: "soon" },
        {},
      ]
    ) {
      assertEquals((managed({ NOTIFY_SOCKET: "@a", ...more })).timers, []);
    }
  });

  it("that can't be told is a line in the log, and no fault", () => {
    const env = { NOTIFY_SOCKET: "@a" };
    const failed = managed(env, { fails: true });
    failed.manager.ready("");
    assertEquals(failed.lines, ["warn: systemd is not told that this is ready: not permitted"]);
    const gone = managed(env, { takes: false });
    gone.manager.ready("");
    assertEquals(gone.lines, ["warn: systemd could not be told READY"]);
  });

  const skip = process.platform !== "linux" && "systemd is on Linux alone";
  for (const kind of ["a path", "an abstract name"]) {
    it(
      `hears a real process at ${kind}, from its start to its end`,
      { skip, timeout: 30_000 },
      () =>
        inFolder(async (folder) => {
          const path = join(folder, "notify");
          const name = kind === "a path" ? path : `@${path}`;
          const receiver = unixReceiver(name);
          const heard: string[] = [];
          const hears = async (text: string) => {
            const deadline = Date.now() + 15_000;
            while (!heard.some((datagram) => datagram.startsWith(text))) {
              assert(Date.now() < deadline, `${text} did not come, but ${heard}`);
              const datagram = receiver.take();
              if (datagram !== undefined) heard.push(datagram);
              else await new Promise((resolve) => setTimeout(resolve, 5));
            }
          };
          // A socket holds ten datagrams: this test may be late by two seconds until that is told.
          const env = { NOTIFY_SOCKET: name, WATCHDOG_USEC: "400000" };
          const { cli, port } = await startCli([], { env });
          await hears("READY=1");
          assertStringIncludes(
            heard.join(),
            `STATUS=Hosting a SDK server over TCP at 127.0.0.1:${port}`,
          );
          await hears("WATCHDOG=1");
          cli.signal("SIGTERM");
          await hears("STOPPING=1");
          const { code, stderr } = await cli.ended;
          assertEquals([code, /WARN|ERROR/.test(stderr)], [0, false]);
          receiver.close();
        }),
    );
  }

  it("is not told where the C library may not be called, which the log says", async () => {
    if ("Bun" in globalThis) return; // has no permissions
    const { cli } = await startCli([], {
      env: { NOTIFY_SOCKET: "@nobody" },
      permissions: ["--allow-net", "--allow-env=NOTIFY_SOCKET"],
    });
    await cli.sees(/systemd is not told that this is ready: .*--allow-ffi/);
    cli.signal("SIGTERM");
    assertEquals((await cli.ended).code, 0);
  });
});
