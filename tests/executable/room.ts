/** An empty folder with the executable in it, and nothing of this machine around what runs there. */
import { copyFile, mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Child, type Ended, within } from "../conformance/child.ts";

/** From the start of the server to the lines that tell its addresses, in milliseconds. */
const READY_MS = 20_000;
/** The server promises to end within 2 s. */
const STOP_MS = 4_000;
const COMMAND_MS = 60_000;

/** Without HOME, PATH or any other variable, and in its own folder. */
export class Room {
  private constructor(readonly folder: string, readonly program: string) {}

  /** Makes one below a folder; the program lies beside it, so that it begins empty. */
  static async make(folder: string, executable: string): Promise<Room> {
    const program = join(folder, "rerelay");
    await copyFile(executable, program);
    const empty = join(folder, "empty");
    await mkdir(empty);
    return new Room(empty, program);
  }

  /** Runs it to its end, which must be the expected one. */
  async run(args: readonly string[], code = 0): Promise<Ended> {
    await using child = new Child([this.program, ...args], { cwd: this.folder, env: {} });
    const ended = await within(COMMAND_MS, `${args.join(" ")} to end`, child.ended);
    if (ended.code === code) return ended;
    throw new Error(`rerelay ${args.join(" ")} ended with ${ended.code}: ${ended.stderr}`);
  }

  /** Starts a server. */
  async serve(args: readonly string[], env: Record<string, string> = {}): Promise<Served> {
    const command = [this.program, "--port", "0", ...args];
    const child = new Child(command, { cwd: this.folder, env });
    try {
      const [, port] = await child.waitFor(/TCP at 127\.0\.0\.1:(\d+)/, READY_MS);
      return new Served(child, port!);
    } catch (error) {
      await child[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** What lies in the folder. */
  async files(): Promise<string[]> {
    return (await readdir(this.folder)).sort();
  }

  /** Where a file of it lies. */
  path(name: string): string {
    return join(this.folder, name);
  }
}

/** A running server. */
export class Served implements AsyncDisposable {
  constructor(readonly child: Child, readonly port: string) {}

  /** Waits for a line of its log. */
  async says(pattern: RegExp): Promise<string> {
    return (await this.child.waitFor(pattern, READY_MS))[1]!;
  }

  /** Processor time of its threads of this name so far, in milliseconds. */
  async busyMs(thread: string): Promise<number> {
    const tasks = `/proc/${this.child.pid}/task`;
    let ns = 0;
    for (const id of await readdir(tasks)) {
      const of = (file: string) => readFile(join(tasks, id, file), "utf8").catch(() => "");
      if ((await of("comm")).trim() !== thread) continue;
      ns += Number((await of("schedstat")).split(" ")[0]);
    }
    return ns / 1e6;
  }

  /** Ends it; it must have nothing to complain of. */
  async stop(): Promise<void> {
    this.child.kill("SIGTERM");
    const { code, stderr } = await within(STOP_MS, "the end after SIGTERM", this.child.ended);
    const complaint = /^.*\b(?:WARN|ERROR)\b.*$/m.exec(stderr)?.[0];
    if (code !== 0 || complaint !== undefined) {
      throw new Error(`the server ended with ${code}: ${complaint ?? stderr.slice(-400)}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.child[Symbol.asyncDispose]();
  }
}
