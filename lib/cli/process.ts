/**
 * All that the command line needs of its process.
 *
 * @module
 */
import { SYSTEM_CLOCK } from "../base/clock.ts";
import { readFileSync } from "node:fs";
import process from "node:process";
import { isatty } from "node:tty";
import type { PackageFiles } from "../adapters/http/types.ts";
import { reason } from "../base/errors.ts";
import { EXIT } from "./exit_codes.ts";
import { outputWriter } from "./terminal/output_writer.ts";
import { ignoresSignal } from "./host/signal_mask.ts";
import { mayAsk } from "./may_ask.ts";
import { TextOutput } from "./terminal/text_output.ts";
import { writeFromBackground } from "./terminal/write_from_background.ts";

/** A signal that asks the program to end; SIGHUP comes when its terminal or ssh session is closed. */
export type StopSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

/** The process, as far as the command line needs it. */
export interface CliProcess {
  /** Arguments after the program's name. */
  readonly args: readonly string[];
  /** An environment variable; `undefined` too where it may not be read. */
  env(name: string): string | undefined;
  /** The names of all environment variables; none where they may not be listed. */
  envNames(): readonly string[];
  /** Whether an environment variable may be read. */
  seesEnv(name: string): boolean;
  /** The system, as Node names it. */
  readonly platform: string;
  /** The processor, as Node names it. */
  readonly arch: string;
  /** The runtime and its version. */
  readonly runtime: string;
  /** Files of other packages for the page, if the executable carries them inside. */
  readonly packages?: PackageFiles;
  /** Whether standard error is a terminal. */
  readonly isTerminal: boolean;
  /** Whether standard output is a terminal. */
  readonly isOutputTerminal: boolean;
  /** Width of the terminal in characters. */
  columns(): number;
  /** Writes to standard output; keeps nobody waiting. */
  stdout(text: string): void;
  /** Writes to standard error; may promise when all is written, `false` where it could not be. */
  stderr(text: string): unknown;
  /** Whether SIGHUP was ignored at the start, as `nohup` has it; `undefined` where that can't be seen. */
  readonly ignoresHangup?: boolean | undefined;
  /**
   * Calls back at each SIGINT, SIGTERM and SIGHUP, which then no longer end the process by themselves;
   * not at a SIGHUP that is ignored.
   */
  onStopSignal(listener: (signal: StopSignal) => void): void;
  /** Calls back at each SIGUSR2, where there is such a signal. */
  onDrainSignal(listener: () => void): void;
  /**
   * Ends the process once what was written to standard output has left it, however long that takes its
   * reader, and half a second later at most what was written to standard error; with 1 instead of 0 if
   * standard output could not be written. A signal ends it meanwhile.
   */
  exit(code: number): void;
  /** Ends the process now. */
  exitNow(code: number): void;
}

/** How long the end waits for standard error, in milliseconds; after a second signal, the shorter one. */
const LAST_WORDS_MS = { usual: 500, atOnce: 50 };

/** The number of SIGHUP. */
const HANGUP = 1;

const STATUS = "/proc/self/status";

/** The process this code runs in, on Deno and on Bun. */
export function thisProcess(): CliProcess {
  // Looked at before any signal is listened to: with its first listener, and half a second after
  // its start, Deno handles all signals that end a program, SIGHUP among them, even if they were to
  // be ignored.
  const ignoresHangup = seesHangupIgnored();
  outliveFileLimit();
  if (isatty(1) || isatty(2)) writeFromBackground();
  // A reader of our output that goes away must not end the recording.
  const stdout = new TextOutput(outputWriter(1));
  const stderr = new TextOutput(outputWriter(2));
  // Once Deno listens to any signal, an ignored SIGHUP ends it unless it has a listener of its own.
  // To see it, `kill -HUP` what `nohup deno eval 'Deno.addSignalListener("SIGINT", () => {});
  // setTimeout(() => {}, 9000)'` started.
  if (ignoresHangup) process.on("SIGHUP", () => {});
  const onStopSignal = (listener: (signal: StopSignal) => void) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      if (signal === "SIGHUP" && ignoresHangup) continue;
      process.on(signal, () => listener(signal));
    }
  };
  const end = async (code: number, ms: number) => {
    SYSTEM_CLOCK.timer(ms, () => process.exit(code));
    await stderr.idle();
    process.exit(code);
  };
  return {
    args: process.argv.slice(2),
    env: (name) => mayRead(name) ? process.env[name] : undefined,
    envNames: () => mayAsk({ name: "env" }) ? Object.keys(process.env) : [],
    seesEnv: mayRead,
    platform: process.platform,
    arch: process.arch,
    runtime: runtimeText(),
    isTerminal: isatty(2),
    isOutputTerminal: isatty(1),
    columns: () => process.stderr.columns || 80,
    stdout: (text) => void stdout.write(text),
    stderr: (text) => stderr.write(text),
    ignoresHangup,
    onStopSignal,
    onDrainSignal(listener) {
      if (process.platform !== "win32") process.on("SIGUSR2", listener);
    },
    exit(code) {
      if (!stdout.isIdle) onStopSignal((signal) => process.exit(EXIT.signal[signal]));
      void stdout.idle().then(() => {
        const isLost = code === 0 && stdout.failure !== undefined && !isEpipe(stdout.failure);
        if (isLost) stderr.write(`error: standard output: ${reason(stdout.failure)}\n`);
        return end(isLost ? 1 : code, LAST_WORDS_MS.usual);
      });
    },
    exitNow: (code) => void end(code, LAST_WORDS_MS.atOnce),
  };
}

function seesHangupIgnored(): boolean | undefined {
  if (process.platform === "win32") return false;
  if (!mayAsk({ name: "read", path: STATUS })) return undefined;
  try {
    return ignoresSignal(readFileSync(STATUS, "utf8"), HANGUP);
  } catch {
    // Not Linux; or Deno, which gives files of the system only to programs that may do everything.
    return undefined;
  }
}

/**
 * Makes a file that reaches the size of `ulimit -f` an error of its write, and not the end of the
 * program.
 */
function outliveFileLimit(): void {
  try {
    process.on("SIGXFSZ", () => {});
  } catch {
    // The system has no such signal.
  }
}

/** Whether the reader of our output has left, as `head` does when it has enough. */
function isEpipe(error: unknown): boolean {
  return (error as { code?: string }).code === "EPIPE";
}

function mayRead(variable: string): boolean {
  return mayAsk({ name: "env", variable });
}

function runtimeText(): string {
  const { bun, deno } = process.versions;
  return bun === undefined ? `deno ${deno}` : `bun ${bun}`;
}
