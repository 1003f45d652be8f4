/** Rerelay as a process that is killed and started again. */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";

const CLI = fileURLToPath(new URL("../../cli.ts", import.meta.url));

/** One of the programs of a fleet. */
export class Program {
  #child: ChildProcess | undefined;
  #log = "";

  constructor(readonly name: string, readonly args: readonly string[]) {}

  /** What it wrote last, over all its starts. */
  get log(): string {
    return this.#log;
  }

  /** Its process, once it was started. */
  get pid(): number {
    return this.#child!.pid!;
  }

  /** Starts it; resolves when it listens. */
  async start(): Promise<void> {
    const run = "Bun" in globalThis ? [CLI] : ["run", "-A", "--no-check", "--quiet", CLI];
    const child = spawn(process.execPath, [...run, ...this.args], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#child = child;
    const kill = () => void child.kill("SIGKILL");
    process.once("exit", kill);
    child.on("close", () => process.off("exit", kill));
    await new Promise<void>((resolve, reject) => {
      child.once(
        "exit",
        (code) => reject(new Error(`${this.name} ended with ${code}: ${this.#log}`)),
      );
      child.stderr!.setEncoding("utf8").on("data", (text: string) => {
        this.#log = (this.#log + text).slice(-200_000);
        if (text.includes("Hosting a SDK server")) resolve();
      });
    });
  }

  /** Sends a signal, and waits until it is gone; tells its exit code. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child!;
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const gone = new Promise<number | null>((resolve) => child.once("exit", resolve));
    child.kill(signal);
    return await gone;
  }
}
