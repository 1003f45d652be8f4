import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { fixture } from "../fixtures.ts";
import { inFolder, replay } from "./cli_process.ts";
import { freePort } from "../free_ports.ts";

const CLI = fileURLToPath(new URL("../../cli.ts", import.meta.url));
const RECORDING = fileURLToPath(
  new URL("../fixtures/encodings/0.22.1-mixed-msgpack-off.rrd", import.meta.url),
);
const full = existsSync("/dev/full") ? it : it.skip;

/** Runs, with standard output or standard error on a full disk if one of them is named. */
function run(args: string[], which?: "stdout" | "stderr"): ChildProcess {
  const runtime = "Bun" in globalThis ? [] : ["run", "-A", "--quiet"];
  const full = which === undefined ? "" : `${which === "stdout" ? ">" : "2>"}/dev/full`;
  const shell = `exec "$@" ${full}`;
  return spawn("sh", ["-c", shell, "sh", process.execPath, ...runtime, CLI, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
}

describe("cli.ts whose output is on a full disk", { timeout: 60_000 }, () => {
  full("goes on recording without its log", () =>
    inFolder(async (folder) => {
      const [port, path] = [await freePort(), join(folder, "a.rrd")];
      const child = run(["--port", `${port}`, "--save", path], "stderr");
      const ended = once(child, "close");
      child.stdout!.resume();
      // Its log says when it is ready, and is what can't be read.
      while (child.exitCode === null && !existsSync(`${path}.part`)) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await replay(port, fixture("captures/0.22.1-mixed.bin"));
      process.kill(child.pid!, "SIGTERM");
      assertEquals(await ended, [0, null]);
      assertEquals(new Uint8Array(readFileSync(path)), new Uint8Array(readFileSync(RECORDING)));
    }));

  full("fails where that was what it was asked for", async () => {
    const commands = [["verify"], ["verify", "--json"], ["stats"], ["print"], ["merge"]];
    for (const args of commands.map((words) => ["rrd", ...words, RECORDING])) {
      const child = run(args, "stdout");
      let stderr = "";
      child.stderr!.on("data", (text) => stderr += text);
      const [code] = await once(child, "close");
      assertEquals(code, 1, args.join(" "));
      assert(
        /^error: standard output.*(no space left|disk is full)[^\n]*\n$/i.test(stderr),
        stderr,
      );
    }
  });
});

describe("cli.ts whose reader leaves", { timeout: 60_000 }, () => {
  it("ends without a word, as the system's own programs do", async () => {
    for (const words of [["merge"], ["print", "--json"], ["stats"]]) {
      const child = run(["rrd", ...words, RECORDING]);
      child.stdout!.destroy();
      let stderr = "";
      child.stderr!.on("data", (text) => stderr += text);
      const [code] = await once(child, "close");
      assertEquals([code, stderr], [141, ""], words.join(" "));
    }
  });
});
