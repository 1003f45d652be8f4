/** Rerun's own command line, saving what it receives: `rerun --save FILE`. */
import { stat } from "node:fs/promises";
import process from "node:process";
import { Child as Program } from "../conformance/child.ts";
import { openRrd } from "../../lib/recordings/mod.ts";

/** It says nothing when it has received something: quiet for so long, it is done. */
const QUIET_MS = 1000;
const POLL_MS = 20;

/** What it has saved by now. */
export interface Saved {
  /** When the file was last written to, in seconds since 1970. */
  readonly at: number;
  readonly messages: number;
}

/** See the module. */
export class RerunSaver implements AsyncDisposable {
  private constructor(readonly program: Program, readonly path: string) {}

  /**
   * Starts it, and waits until it listens.
   *
   * @param rerun the program
   * @param port where it listens
   * @param path of the file
   * @param deadlineMs how long it may take
   */
  static async start(
    rerun: string,
    port: number,
    path: string,
    deadlineMs: number,
  ): Promise<RerunSaver> {
    const program = new Program([rerun, "--save", path, "--port", String(port)], {
      env: { ...process.env as Record<string, string>, RUST_LOG: "info" },
    });
    await program.waitFor(/Hosting a SDK server/, deadlineMs);
    return new RerunSaver(program, path);
  }

  /**
   * Waits until its file stays as it is.
   *
   * @param before what it had saved then
   */
  async more({ at: before }: Saved): Promise<Saved> {
    for (let since = performance.now(), last = before;;) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      const { mtimeMs } = await stat(this.path);
      const at = mtimeMs / 1000;
      if (at !== last) [since, last] = [performance.now(), at];
      else if (at > before && performance.now() - since > QUIET_MS) {
        return { at, messages: await messagesIn(this.path) };
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program[Symbol.asyncDispose]();
  }
}

async function messagesIn(path: string): Promise<number> {
  let messages = 0;
  const { messages: all } = await openRrd(path, { recover: true });
  for await (const _ of all) messages++;
  return messages;
}
