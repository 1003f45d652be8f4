/** The real command line as a process that runs for minutes, looked at from outside. */
import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { detectRuntime } from "../../lib/adapters/runtime.ts";

const CLI = fileURLToPath(new URL("../../cli.ts", import.meta.url));
/** Lines that are kept for whoever wants to know what went wrong. */
const KEPT_LINES = 30;
const READY = /Hosting a SDK server over TCP at 127\.0\.0\.1:(\d+)\./;
/** Starting takes no longer unless something is wrong. */
const START_MS = 30_000;

/** Of the clock of the processor's time on Linux (sysconf(_SC_CLK_TCK) is 100). */
const MS_PER_TICK = 10;

/** How it ended. */
export interface HostEnd {
  readonly code: number | null;
  /** From the signal on. */
  readonly seconds: number;
}

/** A running command line. */
export class Host {
  /** Where SDKs connect. */
  port = 0;
  /** Lines it wrote to standard error. */
  lines = 0;
  /** The last of them. */
  readonly tail: string[] = [];
  readonly #child: ChildProcess;
  readonly #gone: Promise<number | null>;
  readonly #listeners = new Set<(line: string) => void>();
  #cpuMs = 0;

  private constructor(args: readonly string[], openFiles: number | undefined) {
    const run = detectRuntime() === "bun" ? [CLI] : ["run", "-A", "--quiet", CLI];
    const command = [process.execPath, ...run, "--port", "0", ...args];
    const limited = openFiles === undefined
      ? command
      : ["sh", "-c", `ulimit -n ${openFiles}; exec "$@"`, "sh", ...command];
    this.#child = spawn(limited[0]!, limited.slice(1), { stdio: ["ignore", "ignore", "pipe"] });
    createInterface({ input: this.#child.stderr! }).on("line", (line) => this.#take(line));
    const kill = () => void this.#child.kill("SIGKILL");
    process.once("exit", kill);
    this.#gone = new Promise((resolve) =>
      this.#child.once("exit", (code) => {
        process.off("exit", kill);
        resolve(code);
      })
    );
  }

  /**
   * Starts one at a free port.
   *
   * @param args of the command line
   * @param openFiles what `ulimit -n` is set to
   */
  static async start(args: readonly string[], openFiles?: number): Promise<Host> {
    const host = new Host(args, openFiles);
    host.port = Number((await host.sees(READY, START_MS))[1]);
    return host;
  }

  /** Whether it runs. */
  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resident memory in MiB. */
  get rssMiB(): number {
    return this.#memoryMiB("VmRSS");
  }

  /** The most it was in MiB since the start, or the last {@linkcode Host.forgetPeak}. */
  get peakMiB(): number {
    return this.#memoryMiB("VmHWM");
  }

  /** Lets the peak begin anew (proc(5), clear_refs). */
  forgetPeak(): void {
    writeFileSync(`/proc/${this.#child.pid}/clear_refs`, "5");
  }

  /** Time of the processor that it took since this was asked last, in milliseconds. */
  get cpuMs(): number {
    const stat = readFileSync(`/proc/${this.#child.pid}/stat`, "utf8");
    const [user, system] = stat.slice(stat.lastIndexOf(")")).split(" ").slice(12, 14).map(Number);
    const all = (user! + system!) * MS_PER_TICK;
    const since = all - this.#cpuMs;
    this.#cpuMs = all;
    return since;
  }

  /** Open file descriptors. */
  get descriptors(): number {
    return readdirSync(`/proc/${this.#child.pid}/fd`).length;
  }

  /** Calls back at each line, until the function it returns is called. */
  onLine(listener: (line: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves at the first line of this kind from now on. */
  async sees(pattern: RegExp, withinMs: number): Promise<RegExpExecArray> {
    let stop = () => {};
    let timer: ReturnType<typeof setTimeout>;
    try {
      return await new Promise((resolve, reject) => {
        const fail = (why: string) =>
          reject(new Error(`${pattern} does not come, ${why}; the last lines:\n${this.said}`));
        timer = setTimeout(() => fail(`in ${withinMs} ms`), withinMs);
        this.#gone.then((code) => fail(`it ended with ${code}`));
        stop = this.onLine((line) => {
          const match = pattern.exec(line);
          if (match !== null) resolve(match);
        });
      });
    } finally {
      clearTimeout(timer!);
      stop();
    }
  }

  /** What it said last. */
  get said(): string {
    return this.tail.join("\n");
  }

  /** Asks it to end, and after some time kills it; `code` is `null` then. */
  async stop(deadlineMs = 20_000): Promise<HostEnd> {
    const start = performance.now();
    if (this.alive) process.kill(this.#child.pid!, "SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), deadlineMs);
    const code = await this.#gone;
    clearTimeout(timer);
    return { code, seconds: (performance.now() - start) / 1000 };
  }

  #memoryMiB(field: "VmRSS" | "VmHWM"): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
    return Number(new RegExp(`${field}:\\s*(\\d+)`).exec(status)![1]) / 1024;
  }

  #take(line: string): void {
    this.lines++;
    this.tail.push(line);
    if (this.tail.length > KEPT_LINES) this.tail.shift();
    for (const listener of this.#listeners) listener(line);
  }
}

/** Resolves once a connection is closed, whoever closed it. */
export function closed(socket: Socket): Promise<void> {
  if (socket.destroyed) return Promise.resolve();
  return new Promise((resolve) => socket.once("close", () => resolve()));
}

/** Opens a connection, as an SDK does; errors later on only close it. */
export function dial(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => resolve(socket));
    socket.on("error", reject);
    // The server's end of the connection is seen only if somebody reads.
    socket.resume();
  });
}

/** Writes bytes and waits until the system has taken them; `false` if the connection is closed. */
export function write(socket: Socket, bytes: Uint8Array): Promise<boolean> {
  if (socket.destroyed) return Promise.resolve(false);
  return new Promise((resolve) => {
    const closed = () => resolve(false);
    socket.once("close", closed);
    socket.write(bytes, (error) => {
      socket.off("close", closed);
      resolve(!error);
    });
  });
}

/** Waits. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Says whether something is as it must be. */
export type Must = (ok: boolean, what: string) => void;

/** In a script: says so, and lets it end with an error where it is not. */
export function must(ok: boolean, what: string): void {
  console.log(`  ${ok ? "ok    " : "FAILED"} ${what}`);
  if (!ok) process.exitCode = 1;
}
