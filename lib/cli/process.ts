/**
 * What the command line needs of the process it is: all of it in this file.
 *
 * @module
 */
import process from "node:process";
import { reason } from "../base/errors.ts";
import { TextOutput } from "./terminal/text_output.ts";

/** A signal that asks the program to end. */
export type StopSignal = "SIGINT" | "SIGTERM";

/** The process, as far as the command line needs it. */
export interface CliProcess {
  /** Arguments after the program's name. */
  readonly args: readonly string[];
  /** An environment variable; `undefined` too where it may not be read. */
  env(name: string): string | undefined;
  /** Whether an environment variable may be read. */
  seesEnv(name: string): boolean;
  /** The system, as Node names it. */
  readonly platform: string;
  /** Whether standard error is a terminal. */
  readonly isTerminal: boolean;
  /** Whether standard output is one. */
  readonly isOutputTerminal: boolean;
  /** Width of the terminal in characters. */
  columns(): number;
  stdout(text: string): void;
  stderr(text: string): void;
  /** Calls back at each SIGINT and SIGTERM, which then no longer end the process by themselves. */
  onStopSignal(listener: (signal: StopSignal) => void): void;
  /**
   * Ends the process once what was written has left it, but within half a second; with 1 instead of 0
   * if standard output could not be written.
   */
  exit(code: number): void;
  /** Ends the process now. */
  exitNow(code: number): void;
}

/** The process this code runs in, on Deno and on Bun. */
export function thisProcess(): CliProcess {
  // A reader of our output that goes away must not end the recording; there is nobody to tell.
  const stdout = new TextOutput(process.stdout);
  const stderr = new TextOutput(process.stderr);
  return {
    args: process.argv.slice(2),
    env: (name) => mayRead(name) ? process.env[name] : undefined,
    seesEnv: mayRead,
    platform: process.platform,
    isTerminal: process.stderr.isTTY === true,
    isOutputTerminal: process.stdout.isTTY === true,
    columns: () => process.stderr.columns || 80,
    stdout: (text) => stdout.write(text),
    stderr: (text) => stderr.write(text),
    onStopSignal(listener) {
      for (const signal of ["SIGINT", "SIGTERM"] as const) {
        process.on(signal, () => listener(signal));
      }
    },
    exit(code) {
      setTimeout(() => process.exit(code), 500);
      void stdout.idle().then(async () => {
        const isLost = code === 0 && stdout.failure !== undefined && !isEpipe(stdout.failure);
        if (isLost) stderr.write(`error: standard output: ${reason(stdout.failure)}\n`);
        await stderr.idle();
        process.exit(isLost ? 1 : code);
      });
    },
    exitNow: (code) => process.exit(code),
  };
}

/** Whoever read our output has enough, as `head` does. */
function isEpipe(error: unknown): boolean {
  return (error as { code?: string }).code === "EPIPE";
}

/** On Deno reading a variable without permission would stop and ask; none of ours is worth that. */
function mayRead(variable: string): boolean {
  if (!("Deno" in globalThis) || "Bun" in globalThis) return true;
  return Deno.permissions.querySync({ name: "env", variable }).state === "granted";
}
