import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { main } from "../../lib/cli/main.ts";
import type { CliProcess, StopSignal } from "../../lib/cli/process.ts";
import { fixture } from "../fixtures.ts";
import { replay } from "./cli_process.ts";

const CAPTURE = fixture("captures/0.22.1-mixed.bin");

/** A process with a terminal, run inside this one. */
function terminal(args: string[], env: Record<string, string> = {}) {
  let text = "";
  let send = (_: StopSignal) => {};
  let watch = () => {};
  const process: CliProcess = {
    args,
    env: (name) => env[name],
    envNames: () => Object.keys(env),
    seesEnv: () => true,
    platform: "linux",
    arch: "x64",
    runtime: "none",
    isTerminal: true,
    isOutputTerminal: true,
    columns: () => 100,
    stdout: () => {},
    stderr(written) {
      text += written;
      watch();
    },
    onStopSignal: (listener) => send = listener,
    onDrainSignal: () => {},
    exit: () => {},
    exitNow: () => {},
  };
  return {
    process,
    stop: () => send("SIGINT"),
    get text() {
      return text;
    },
    sees: (pattern: RegExp) =>
      new Promise<RegExpExecArray>((resolve) => {
        watch = () => {
          const match = pattern.exec(text);
          if (match !== null) resolve(match);
        };
        watch();
      }),
  };
}

// deno-lint-ignore no-control-regex
const withoutColors = (text: string) => text.replaceAll(/\x1b\[\d*m/g, "");

/** What stands on the screen, as far as erasing the last line makes a difference. */
function shown(text: string): string[] {
  const lines = withoutColors(text).split("\n");
  return lines.map((line) => line.slice(line.lastIndexOf("\r\x1b[K") + 1).replace("\x1b[K", ""));
}

describe("cli.ts on a terminal", { timeout: 60_000 }, () => {
  it("shows one live line in place of the clients' lines, and takes it away at the end", async () => {
    const term = terminal(["--port", "0"]);
    const code = main(term.process);
    const port = Number((await term.sees(/at 127\.0\.0\.1:(\d+)\./))[1]);
    await term.sees(
      /0 clients \| 0 msg\/s \| 0\.0 MB\/s \| total 0 msg, 0 B \| latency 0 ms \| dropped 0/,
    );
    await replay(port, CAPTURE);
    await term.sees(/[1-9]\d* msg\/s \| 0\.\d MB\/s \| total 34 msg, 174 kB/);
    term.stop();
    assertEquals(await code, 0);
    assert(!term.text.includes("connected from") && !term.text.includes("logs recording"));
    const lines = shown(term.text);
    assertEquals(lines.length, 3);
    assert(/^\d\d:\d\d:\d\d INFO {2}Hosting a SDK server/.test(lines[0]!), lines[0]);
    assert(lines[1]!.endsWith("INFO  Received 34 messages, 174 kB, from 1 connection"), lines[1]);
    assertEquals(lines[2], "");
  });

  it("uses no colours with NO_COLOR, and no live line where it can't be redrawn", async () => {
    for (
      const [env, status, color] of [
        [{}, true, true],
        [{ NO_COLOR: "1" }, true, false],
        [{ NO_COLOR: "" }, true, true],
        [{ TERM: "dumb" }, false, false],
      ] as const
    ) {
      const term = terminal(["--port", "0"], env);
      const code = main(term.process);
      await term.sees(status ? /0 clients/ : /Hosting/);
      term.stop();
      assertEquals(await code, 0);
      assertEquals(term.text.includes("0 clients"), status);
      assertEquals(term.text.includes("\x1b[32mINFO"), color);
    }
  });

  it("shows no live line with --quiet, JSON or --log-level error, yet the picked port", async () => {
    const cases = [["--quiet"], ["--log-format", "json"], ["--log-level", "error"]];
    for (const args of cases) {
      const term = terminal(["--port", "0", ...args]);
      const code = main(term.process);
      await term.sees(/Hosting/);
      term.stop();
      assertEquals(await code, 0);
      assertEquals(term.text.match(/Hosting/g)?.length, 1);
      assert(!term.text.includes("0 clients"), args.join(" "));
    }
  });

  it("stops at a signal that comes before the port is open", async () => {
    const term = terminal(["--port", "0"]);
    const code = main(term.process);
    term.stop();
    assertEquals(await code, 0);
  });
});
