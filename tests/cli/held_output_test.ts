import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  constants,
  openSync,
  readFileSync,
  readSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { fixture } from "../fixtures.ts";
import { inTime } from "../in_time.ts";
import { inFolder, replay } from "./cli_process.ts";
import { freePort } from "../free_ports.ts";

const CLI = fileURLToPath(new URL("../../cli.ts", import.meta.url));
const CAPTURE = fixture("captures/0.22.1-mixed.bin");
const FILE = fileURLToPath(
  new URL("../fixtures/encodings/0.22.1-mixed-msgpack-off.rrd", import.meta.url),
);
const RECORDING = readFileSync(FILE);
const PROGRAM = [process.execPath, ..."Bun" in globalThis ? [] : ["run", "-A", "--quiet"], CLI];

/** Resolves when a look finds it so. */
async function until(found: () => boolean | Promise<boolean>): Promise<void> {
  while (!await found()) await new Promise((resolve) => setTimeout(resolve, 10));
}

const sizeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** What is saved, up to the end marker, is on the disk. */
const isSaved = (path: string) => () => sizeOf(`${path}.part`) >= RECORDING.length - 8;

const answers = (page: number) =>
  fetch(`http://127.0.0.1:${page}/healthz`).then(({ ok }) => ok, () => false);

/** Its log would say when it is ready. */
const replays = (port: number) => replay(port, CAPTURE).then(() => true, () => false);

/** A pipe that has no room, and its reader's end. */
function fullPipe(path: string): number {
  execFileSync("mkfifo", [path]);
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  try {
    for (;;) writeSync(fd, new Uint8Array(4096));
  } catch {
    return fd; // EAGAIN
  }
}

/** What stands in the pipe now, without what filled it. */
function drain(fd: number): string {
  const buffer = new Uint8Array(65_536);
  let text = "";
  try {
    for (;;) text += new TextDecoder().decode(buffer.subarray(0, readSync(fd, buffer)));
  } catch {
    return text.replaceAll("\0", ""); // EAGAIN
  }
}

describe("cli.ts whose log takes nothing", { timeout: 60_000 }, () => {
  const linux = process.platform === "linux" ? it : it.skip;

  for (const format of ["text", "json"]) {
    linux(
      `receives, saves and answers behind a full pipe (${format})`,
      () =>
        inFolder(async (folder) => {
          const [log, path] = [join(folder, "log"), join(folder, "a.rrd")];
          const reader = fullPipe(log);
          const [port, page] = [await freePort(), await freePort()];
          const args = ["--port", `${port}`, "--save", path, "--log-format", format];
          args.push("--serve-web", "--web-viewer-port", `${page}`, "--ws-server-port", "0");
          // Standard output leads there too.
          const shell = ["-c", 'exec "$@" >>"$0" 2>>"$0"', log, ...PROGRAM, ...args];
          const child = spawn("sh", shell, { stdio: "ignore" });
          try {
            const ended = once(child, "close");
            await until(() => answers(page));
            await until(() => replays(port));
            await until(isSaved(path));
            assert(await answers(page));
            let text = drain(reader);
            await until(() => (text += drain(reader)).includes("left: 34 messages"));
            assert(text.includes("Hosting a SDK server"), text);
            process.kill(child.pid!, "SIGTERM");
            assertEquals(await ended, [0, null]);
            assertEquals(new Uint8Array(readFileSync(path)), new Uint8Array(RECORDING));
          } finally {
            child.kill("SIGKILL");
            closeSync(reader);
          }
        }),
    );
  }

  linux("ends in order though nobody ever reads its log", () =>
    inFolder(async (folder) => {
      const [log, path] = [join(folder, "log"), join(folder, "a.rrd")];
      const reader = fullPipe(log);
      const port = await freePort();
      const args = [...PROGRAM, "--port", `${port}`, "--save", path];
      const child = spawn("sh", ["-c", 'exec "$@" 2>>"$0"', log, ...args], { stdio: "ignore" });
      try {
        const ended = once(child, "close");
        await until(() => replays(port));
        await until(isSaved(path));
        const start = performance.now();
        process.kill(child.pid!, "SIGTERM");
        assertEquals(await ended, [0, null]);
        // Code 0 says that it was not cut off; whoever waited for a reader would wait for ever.
        assert(performance.now() - start < 20_000);
        assertEquals(new Uint8Array(readFileSync(path)), new Uint8Array(RECORDING));
      } finally {
        child.kill("SIGKILL");
        closeSync(reader);
      }
    }));
});

describe("cli.ts whose standard output takes nothing yet", { timeout: 60_000 }, () => {
  const linux = process.platform === "linux" ? it : it.skip;

  linux(
    "waits for its reader, however long that takes, and then says all",
    () =>
      inFolder(async (folder) => {
        const out = join(folder, "out");
        const reader = fullPipe(out);
        const command = ["-c", 'exec "$@" >>"$0"', out, ...PROGRAM, "--help"];
        const child = spawn("sh", command, { stdio: "ignore" });
        const ended = once(child, "close");
        // Longer than it waits for standard error.
        await new Promise((resolve) => setTimeout(resolve, 1500));
        let text = drain(reader);
        await until(() => (text += drain(reader)).includes("Permissions for deno run:"));
        assertEquals(await ended, [0, null]);
        assert(text.startsWith("rerelay") || text.includes("Usage"), text.slice(0, 100));
        closeSync(reader);
      }),
  );

  linux("is ended by a signal meanwhile", () =>
    inFolder(async (folder) => {
      const out = join(folder, "out");
      const reader = fullPipe(out);
      for (const args of [["--help"], ["rrd", "stats", FILE]]) {
        const command = ["-c", 'exec "$@" >>"$0"', out, ...PROGRAM, ...args];
        const child = spawn("sh", command, { stdio: "ignore" });
        const ended = once(child, "close");
        await new Promise((resolve) => setTimeout(resolve, 700));
        process.kill(child.pid!, "SIGTERM");
        const [code, signal] = await ended;
        assert(code === 143 || signal === "SIGTERM", `${code} ${signal}`);
      }
      closeSync(reader);
    }));
});

describe("cli.ts on a held terminal", { timeout: 60_000 }, () => {
  // `script` of util-linux runs a program on a terminal of its own.
  const onTerminal = process.platform === "linux" && hasScript() ? it : it.skip;

  onTerminal(
    "receives, saves and answers after Ctrl-S, and ends in order",
    // What stands still for want of the processor looks as if it were held.
    () =>
      inTime(() =>
        inFolder(async (folder) => {
          const path = join(folder, "a.rrd");
          const [port, page] = [await freePort(), await freePort()];
          const command = [...PROGRAM, "--port", `${port}`, "--save", path, "--serve-web"];
          command.push("--web-viewer-port", `${page}`, "--ws-server-port", "0");
          const pid = join(folder, "pid");
          const quoted = command.map((word) => `'${word}'`).join(" ");
          const child = spawn(
            "script",
            ["-qefc", `echo $$ >'${pid}'; exec ${quoted}`, "/dev/null"],
            {
              stdio: ["pipe", "pipe", "ignore"],
              env: { ...process.env, TERM: "xterm" },
            },
          );
          let shown = "";
          child.stdout!.setEncoding("utf8").on("data", (text: string) => shown += text);
          try {
            const ended = once(child, "close");
            await until(() => shown.includes("0 clients"));
            hold(child);
            // The terminal has taken nothing any more once its status line stands still.
            for (let before = ""; before !== shown;) {
              before = shown;
              await new Promise((resolve) => setTimeout(resolve, 600));
            }
            await replay(port, CAPTURE);
            await until(isSaved(path));
            assert(await answers(page));
            assert(!shown.includes("34 msg"), shown);
            process.kill(Number(readFileSync(pid, "utf8")), "SIGTERM");
            assertEquals(await ended, [0, null]);
            assertEquals(new Uint8Array(readFileSync(path)), new Uint8Array(RECORDING));
          } finally {
            child.kill("SIGKILL");
          }
        })
      ),
  );

  onTerminal(
    "receives, saves and answers in the background after stty tostop",
    () =>
      inFolder(async (folder) => {
        const path = join(folder, "a.rrd");
        const port = await freePort();
        const quoted = [...PROGRAM, "--port", `${port}`, "--save", path].map((word) => `'${word}'`);
        const pid = join(folder, "pid");
        // With job control each command has a group of its own, and those in the background may not write.
        const inBackground = `stty tostop; set -m; ${
          quoted.join(" ")
        } & echo $! >'${pid}'; wait $!`;
        const child = spawn("script", ["-qefc", inBackground, "/dev/null"], {
          stdio: ["pipe", "ignore", "ignore"],
          env: { ...process.env, TERM: "xterm", SHELL: "/bin/sh" },
        });
        try {
          const ended = once(child, "close");
          await until(() => answers(port));
          await replay(port, CAPTURE);
          await until(isSaved(path));
          process.kill(Number(readFileSync(pid, "utf8")), "SIGTERM");
          assertEquals(await ended, [0, null]);
          assertEquals(new Uint8Array(readFileSync(path)), new Uint8Array(RECORDING));
        } finally {
          child.kill("SIGKILL");
          endLeft(pid);
        }
      }),
  );
});

function hold(child: ChildProcess): void {
  child.stdin!.write("\x13"); // Ctrl-S
}

/** One that was stopped does not hear that its terminal is gone. */
function endLeft(pid: string): void {
  try {
    process.kill(Number(readFileSync(pid, "utf8")), "SIGKILL");
  } catch {
    // It has ended.
  }
}

function hasScript(): boolean {
  try {
    return execFileSync("script", ["--version"], { encoding: "utf8" }).includes("util-linux");
  } catch {
    return false;
  }
}
