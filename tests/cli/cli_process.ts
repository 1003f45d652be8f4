/** The real command line as a process of its own, on the runtime that the tests run on. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { StopSignal } from "../../lib/cli/process.ts";

const CLI = fileURLToPath(new URL("../../cli.ts", import.meta.url));

/** Nothing here takes so long unless it hangs. */
const DEADLINE_MS = 45_000;

/** How the process ended and what it wrote. */
export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A running command line. */
export class Cli {
  stdout = "";
  stderr = "";
  readonly ended: Promise<Ended>;
  readonly child: ChildProcess;
  #watchers = new Set<() => void>();

  constructor(
    args: readonly string[],
    { script = CLI, env = {}, permissions = ["-A"], openFiles, fileBlocks, shell, deadlineMs }:
      CliSettings = {},
  ) {
    const run = "Bun" in globalThis ? [script] : ["run", ...permissions, "--quiet", script];
    const before = [
      ...(shell === undefined ? [] : [shell]),
      ...(openFiles === undefined ? [] : [`ulimit -n ${openFiles}`]),
      ...(fileBlocks === undefined ? [] : [`ulimit -f ${fileBlocks}`]),
    ];
    const limit = before.length === 0 ? [] : ["sh", "-c", `${before.join("; ")}; exec "$@"`, "sh"];
    const [program, ...rest] = [...limit, process.execPath, ...run, ...args];
    this.child = spawn(program!, rest, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "", ...env },
    });
    const take = (name: "stdout" | "stderr") => {
      this.child[name]!.setEncoding("utf8").on("data", (text: string) => {
        this[name] += text;
        for (const watch of this.#watchers) watch();
      });
    };
    take("stdout");
    take("stderr");
    // A test that fails half-way must not leave a server behind.
    const kill = () => void this.child.kill("SIGKILL");
    process.once("exit", kill);
    this.child.on("close", () => process.off("exit", kill));
    this.ended = withDeadline<Ended>(
      () => `the process does not end; it wrote ${this.stderr}`,
      new Promise((resolve, reject) => {
        this.child.on("error", reject);
        this.child.on("close", (code) => {
          resolve({ code, stdout: this.stdout, stderr: this.stderr });
        });
      }),
      deadlineMs,
    ).finally(kill);
    // Tests that fail before they wait for the end report their own error.
    this.ended.catch(() => {});
  }

  /** Resolves when this stands on standard error. */
  sees(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#finds(`${pattern}`, () => pattern.exec(this.stderr) ?? undefined);
  }

  /** Resolves when this, a pattern with the flag `g`, stands on standard error so many times. */
  async seesTimes(pattern: RegExp, times: number): Promise<void> {
    await this.#finds(`${pattern} ${times} times`, () => {
      const found = this.stderr.match(pattern) ?? [];
      return found.length >= times ? found : undefined;
    });
  }

  #finds<T>(what: string, find: () => T | undefined): Promise<T> {
    return withDeadline(
      () => `${what} does not come; the process wrote ${this.stderr}`,
      new Promise((resolve, reject) => {
        const look = () => {
          const found = find();
          if (found === undefined) return;
          this.#watchers.delete(look);
          resolve(found);
        };
        this.#watchers.add(look);
        this.child.on("close", () => reject(new Error(`ended without ${what}: ${this.stderr}`)));
        look();
      }),
    );
  }

  signal(name: StopSignal): void {
    // After child.kill Deno reports that signal as the cause of the end, whatever the process did.
    process.kill(this.child.pid!, name);
  }
}

/** What differs from the usual. */
export interface CliSettings {
  script?: string;
  env?: Record<string, string>;
  /** What Deno allows. */
  permissions?: readonly string[];
  /** What `ulimit -n` is set to. */
  openFiles?: number;
  /** What a shell does before it becomes the program. */
  shell?: string;
  /** What `ulimit -f` is set to, in blocks of 512 bytes. */
  fileBlocks?: number;
  /** How long it may run at most, in milliseconds. */
  deadlineMs?: number;
}

/** Runs to the end. */
export function runCli(args: readonly string[], settings: CliSettings = {}): Promise<Ended> {
  return new Cli(args, settings).ended;
}

/** Starts hosting at a free port and waits until it is ready. */
export async function startCli(args: readonly string[], settings: CliSettings = {}) {
  const cli = new Cli(["--port", "0", ...args], settings);
  const ready =
    /Hosting a SDK server over TCP at 127\.0\.0\.1:(\d+)\. Connect with the Rerun logging SDK\./;
  const port = Number((await cli.sees(ready))[1]);
  return { cli, port };
}

/** Opens a connection, as an SDK does. */
export function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(port, "127.0.0.1", () => resolve(socket));
    socket.on("error", reject);
  });
}

/** Writes bytes and waits until the system has taken them. */
export function send(socket: Socket, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(bytes, (error) => error ? reject(error) : resolve());
  });
}

/** Sends bytes over a connection of their own, and leaves. */
export async function replay(port: number, bytes: Uint8Array): Promise<void> {
  const socket = await open(port);
  await new Promise<void>((resolve, reject) => {
    socket.on("error", reject);
    socket.on("close", () => resolve());
    // The server never writes, so its end of the connection is seen only if somebody reads.
    socket.resume();
    socket.end(bytes);
  });
}

/** A folder that is gone after the test. */
export async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "rerelay-cli-"));
  try {
    await test(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function withDeadline<T>(
  why: () => string,
  promise: Promise<T>,
  ms = DEADLINE_MS,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(why())), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
