/** The command line under test, as a process of its own. */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Child, describeEnd, within } from "./child.ts";

/** What the command line is tested on; the executable is what `npm run build` made in dist/. */
export type Runtime = "deno" | "bun" | "executable";

/** First start on a fresh machine: dependencies are fetched. */
const READY_MS = 60_000;

/**
 * The command line promises to end within 2 s, and tests/cli holds it to that. Here several SDKs and viewers
 * have the processors to themselves: it just may not hang.
 */
const STOP_MS = 30_000;

const CLI = fileURLToPath(new URL("../../cli.ts", import.meta.url));
const READY = /Hosting a SDK server over TCP at 127\.0\.0\.1:(\d+)\. Connect with/;
const COMMANDS: Record<Runtime, readonly string[]> = {
  deno: [
    ...["deno", "run", "--no-prompt", "-q", "--allow-net", "--allow-read", "--allow-write"],
    "--allow-env=RERELAY_VIEWER_TOKEN",
  ],
  bun: ["bun", "run"],
  executable: [
    fileURLToPath(
      new URL(`../../dist/rerelay-${process.platform}-${process.arch}`, import.meta.url),
    ),
  ],
};

/** The program and its first arguments. */
export function cliCommand(runtime: Runtime, cli: string = CLI): string[] {
  return runtime === "executable" ? [...COMMANDS.executable] : [...COMMANDS[runtime], cli];
}

/** How a server is started. */
export interface StartOptions {
  /** Besides the variables of this process. */
  readonly env?: Readonly<Record<string, string>>;
  readonly port?: number;
  /** Another program than that of this project. */
  readonly cli?: string;
  /** Whether it may do everything on Deno; by default it has what it needs to host, save and show. */
  readonly mayAll?: boolean;
}

/** A running server. */
export class Cli implements AsyncDisposable {
  private constructor(readonly port: number, readonly child: Child) {}

  /** Starts it, on a free port if none is named. */
  static async start(
    runtime: Runtime,
    args: readonly string[],
    { env = {}, port = 0, cli = CLI, mayAll = false }: StartOptions = {},
  ): Promise<Cli> {
    const start = mayAll && runtime === "deno"
      ? ["deno", "run", "--no-prompt", "-q", "--allow-all", cli]
      : cliCommand(runtime, cli);
    const command = [...start, "--port", `${port}`, ...args];
    // The executable needs nothing of the machine that it is copied to.
    const around = runtime === "executable" ? {} : process.env;
    const child = new Child(command, { env: { ...around, ...env } as Record<string, string> });
    try {
      const [, port] = await child.waitFor(READY, READY_MS);
      return new Cli(Number(port), child);
    } catch (error) {
      await child[Symbol.asyncDispose]();
      throw error;
    }
  }

  /**
   * Stops it with SIGTERM.
   *
   * @throws if it does not end in time with exit code 0
   */
  async stop(): Promise<void> {
    this.child.kill("SIGTERM");
    const ended = await within(STOP_MS, "the CLI to end after SIGTERM", this.child.ended);
    if (ended.code !== 0) throw new Error(`the CLI ended with ${describeEnd(ended)}`);
  }

  /** Its warnings and errors, but those that were to be expected. */
  complaints(expected: readonly RegExp[]): string[] {
    return this.child.stderr.split("\n").filter((line) =>
      /\b(WARN|ERROR)\b/.test(line) && !expected.some((pattern) => pattern.test(line))
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.child[Symbol.asyncDispose]();
  }
}
