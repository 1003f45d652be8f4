/** Programs in processes of their own, that talk with the test in lines of JSON. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { detectRuntime } from "../../lib/adapters/runtime.ts";

/** A started child. */
export interface Child {
  /** The next line it wrote; throws when there is none any more. */
  next<T>(): Promise<T>;
  /** Writes it a line. */
  tell(line: string): void;
  /** Ends it and waits until it is gone. */
  stop(): Promise<void>;
}

/**
 * Starts a program on the runtime that the test runs on, or on another.
 *
 * @param program the TypeScript file
 * @param args its arguments
 * @param openFiles what `ulimit -n` is set to
 * @param runtime what runs it, found on PATH if it is another one
 */
export function startChild(
  program: URL,
  args: string[],
  openFiles?: number,
  runtime = detectRuntime(),
): Child {
  const command = [
    runtime === detectRuntime() ? process.execPath : runtime,
    ...(runtime === "deno" ? ["run", "-A", "--no-check"] : []),
    fileURLToPath(program),
    ...args,
  ];
  return openFiles === undefined
    ? startProgram(command)
    : startProgram(["sh", "-c", `ulimit -n ${openFiles}; exec "$@"`, "sh", ...command]);
}

/** Starts any program that talks so. */
export function startProgram([program, ...args]: readonly string[]): Child {
  return linesOf(spawn(program!, args));
}

function linesOf(child: ChildProcessWithoutNullStreams): Child {
  const gone = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let errors = "";
  child.stderr.on("data", (text) => errors += text);
  return {
    async next<T>() {
      const { done, value } = await lines.next();
      if (done) throw new Error(`The child has ended: ${errors}`);
      return JSON.parse(value) as T;
    },
    tell: (line) => void child.stdin.write(`${line}\n`),
    async stop() {
      child.kill("SIGKILL");
      await gone;
    },
  };
}

/** In a child: writes a line. */
export function say(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** In a child: the lines it is told. */
export function heard(): AsyncIterableIterator<string> {
  return createInterface({ input: process.stdin })[Symbol.asyncIterator]();
}

/**
 * In a child: its resident memory in KiB.
 *
 * @param field now (`VmRSS`) or at its highest (`VmHWM`)
 */
export function residentKiB(field: "VmRSS" | "VmHWM"): number {
  if (process.platform !== "linux") {
    return field === "VmHWM" ? process.resourceUsage().maxRSS : process.memoryUsage().rss / 1024;
  }
  const status = readFileSync("/proc/self/status", "utf8");
  return Number(new RegExp(`${field}:\\s*(\\d+)`).exec(status)![1]);
}
