/** Child processes with a deadline for everything, ended on every path. */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";

/** How a child ended, and what it wrote. */
export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where and how a child runs. */
export interface ChildOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
}

const alive = new Set<Child>();

/** Ends all children that still run, for a test that is given up. */
export function killAll(): void {
  for (const child of alive) child.kill("SIGKILL");
}

/** A running child. */
export class Child implements AsyncDisposable {
  /** Resolves when it and its output have ended; rejects if it can't be started. */
  readonly ended: Promise<Ended>;
  #stdout = "";
  #stderr = "";
  #onOutput: () => void = () => {};
  readonly #process: ChildProcess;

  /** Starts it in a process group of its own, so that what it starts ends with it. */
  constructor(readonly command: readonly string[], { cwd, env }: ChildOptions = {}) {
    const [program, ...args] = command;
    this.#process = spawn(program!, args, {
      cwd,
      env: env ?? process.env,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    alive.add(this);
    const { stdout, stderr } = this.#process;
    stdout!.setEncoding("utf8").on("data", (text) => {
      this.#stdout += text;
      this.#onOutput();
    });
    stderr!.setEncoding("utf8").on("data", (text) => {
      this.#stderr += text;
      this.#onOutput();
    });
    const ended = Promise.withResolvers<Ended>();
    this.ended = ended.promise;
    this.ended.catch(() => {});
    this.#process.on("error", (error) => {
      alive.delete(this);
      ended.reject(new Error(`Could not start ${program}: ${error.message}`, { cause: error }));
    });
    this.#process.on("close", (code, signal) => {
      alive.delete(this);
      ended.resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr });
    });
  }

  /** Its process id; `undefined` if it could not be started. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** What it wrote on standard output so far. */
  get stdout(): string {
    return this.#stdout;
  }

  /** What it wrote on standard error so far. */
  get stderr(): string {
    return this.#stderr;
  }

  /**
   * Waits until what it wrote on standard output or error matches.
   *
   * @throws if it ends or the time is over before
   */
  async waitFor(pattern: RegExp, ms: number): Promise<RegExpExecArray> {
    const found = Promise.withResolvers<RegExpExecArray>();
    this.#onOutput = () => {
      const match = pattern.exec(this.#stderr) ?? pattern.exec(this.#stdout);
      if (match) found.resolve(match);
    };
    this.#onOutput();
    const gone = this.ended.then((ended) => {
      throw new Error(`${describe(this.command)} ended early: ${describeEnd(ended)}`);
    });
    const what = `${describe(this.command)} to write ${pattern}; it wrote: ${tail(this.#stderr)}`;
    return await within(ms, what, Promise.race([found.promise, gone]));
  }

  /** Sends a signal to it and to what it has started. */
  kill(signal: "SIGTERM" | "SIGKILL" | "SIGUSR2"): void {
    const { pid } = this.#process;
    if (pid === undefined || !alive.has(this)) return;
    try {
      process.kill(-pid, signal);
    } catch (error) {
      if ((error as { code?: string }).code !== "ESRCH") throw error;
    }
  }

  /** Ends it at once, if it still runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    await this.ended.catch(() => {});
  }
}

/**
 * Runs a program to its end.
 *
 * @throws if it can't be started, ends with another code than 0, or takes longer than `ms`
 */
export async function run(
  command: readonly string[],
  { ms, ...options }: ChildOptions & { ms: number },
): Promise<Ended> {
  await using child = new Child(command, options);
  const ended = await within(ms, `${describe(command)} to end`, child.ended);
  if (ended.code !== 0) throw new Error(`${describe(command)} failed: ${describeEnd(ended)}`);
  return ended;
}

/**
 * Waits for a promise, but not for ever.
 *
 * @throws if the time is over before
 */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`waited ${ms / 1000} s in vain for ${what}`)),
    ms,
  );
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** How a child ended, in words. */
export function describeEnd({ code, signal, stdout, stderr }: Ended): string {
  return `${signal ?? `exit code ${code}`}, said: ${tail(stderr) || tail(stdout) || "nothing"}`;
}

function describe(command: readonly string[]): string {
  return command.map((part) => part.split("/").at(-1)).slice(0, 4).join(" ");
}

function tail(text: string): string {
  return text.trim().split("\n").slice(-6).join(" | ").slice(-400);
}
