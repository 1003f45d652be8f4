/** A running command line with live viewers, and SDKs that log to it. */
import { fileURLToPath } from "node:url";
import { Child } from "../conformance/child.ts";
import { Cli, type Runtime } from "../conformance/cli_process.ts";
import type { Sdk } from "../conformance/sdk_cache.ts";

const ROBOT = fileURLToPath(new URL("robot.py", import.meta.url));
/** From the start of the server to the lines that tell its addresses. */
const READY_MS = 20_000;

/** The server under test. */
export class Stage implements AsyncDisposable {
  readonly #robots: Child[] = [];

  private constructor(readonly cli: Cli, readonly url: string, readonly socketUrl: string) {}

  /** Starts the server on free ports, its page on a given one if need be. */
  static async start(
    runtime: Runtime,
    args: readonly string[] = [],
    pagePort = "0",
    env: Readonly<Record<string, string>> = {},
  ): Promise<Stage> {
    const ports = ["--ws-server-port", "0", "--web-viewer-port", pagePort];
    const cli = await Cli.start(runtime, ["--serve-web", ...ports, ...args], { env });
    const [, url] = await cli.child.waitFor(/Hosting a web viewer at (\S+\/)/, READY_MS);
    const [, socket] = await cli.child.waitFor(/WebSocket server at (ws:\/\/[\d.:]+\d)/, READY_MS);
    return new Stage(cli, url!, socket!);
  }

  /** Lets an SDK log for so many seconds. */
  robot(
    sdk: Sdk,
    seconds: number,
    recording: string,
    application = "warehouse_robot",
    pauseSec = 0.05,
  ): Child {
    const args = [this.cli.port, seconds, recording, application, pauseSec].map(String);
    const robot = new Child([sdk.python, ROBOT, ...args], { env: sdk.env });
    this.#robots.push(robot);
    return robot;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const robot of this.#robots) await robot[Symbol.asyncDispose]();
    await this.cli[Symbol.asyncDispose]();
  }
}
