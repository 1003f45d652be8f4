/** Who sends to viewers: Rerelay, Rerun's own server, and a program that does nothing else. */
import { join } from "node:path";
import { Child as Program, within } from "../conformance/child.ts";
import { Cli } from "../conformance/cli_process.ts";
import { findPython } from "../conformance/python.ts";
import { cacheFolder, type Sdk, SdkCache } from "../conformance/sdk_cache.ts";
import { type Child, startChild } from "../contract/child.ts";
import { freePort } from "../free_ports.ts";
import { DEADLINE_MS, usageOf } from "./receive_runs.ts";
import type { Stream } from "./streams.ts";

/** Who sends: Rerelay on a runtime, an earlier one, a program that only writes, and Rerun's own. */
export const SERVERS = [
  ...["deno", "deno before", "deno control", "bun", "bun before", "bun control", "rerun"] as const,
];

/** Name of one. */
export type Server = typeof SERVERS[number];

/** A server that runs. */
export interface RunningServer extends AsyncDisposable {
  /** Of its WebSocket. */
  readonly port: number;
  /** Has the stream sent through it: told `warm up`, and `all`. */
  source(): Child;
  /** What it has used so far; NaN if unknown. */
  usage(): ReturnType<typeof usageOf>;
}

const CONTROL = new URL("viewers_control.ts", import.meta.url);
const SENDER = new URL("send_parts_child.ts", import.meta.url);

/** The Rerun whose server is compared, installed once. */
export async function rerunSdk(): Promise<Sdk> {
  return await new SdkCache(cacheFolder(), await findPython()).get("0.22.1");
}

/**
 * Starts one.
 *
 * @param server which
 * @param stream that is to be sent
 * @param viewers how many will come
 * @param sdk with Rerun's own command line
 * @param before folder of an earlier Rerelay
 */
export async function startServer(
  server: Server,
  stream: Stream,
  viewers: number,
  sdk: Sdk,
  before?: string,
): Promise<RunningServer> {
  switch (server) {
    case "rerun":
      return await startRerun(stream, sdk);
    case "deno":
    case "bun":
      return await startRerelay(server, stream);
    case "deno before":
    case "bun before":
      return await startRerelay(server === "deno before" ? "deno" : "bun", stream, before);
    default:
      return await startControl(server === "deno control" ? "deno" : "bun", stream, viewers);
  }
}

async function startRerelay(
  runtime: "deno" | "bun",
  stream: Stream,
  folder?: string,
): Promise<RunningServer> {
  const cli = await Cli.start(
    runtime,
    [
      ...["--serve-web", "--ws-server-port", "0", "--web-viewer-port", "0"],
      // As Rerun's server, which has no such limit: nobody is cut off, however far behind.
      ...["--server-memory-limit", "8GB"],
      // Before 0.2.0 viewers had a queue each.
      ...(folder === undefined ? [] : ["--viewer-queue", "2GB"]),
    ],
    folder === undefined ? {} : { cli: join(folder, "cli.ts") },
  );
  const [, port] = await cli.child.waitFor(/WebSocket server at ws:\/\/\S+:(\d+)\./, DEADLINE_MS);
  return running(Number(port), cli.port, cli.child, stream);
}

async function startRerun(stream: Stream, { rerun, env }: Sdk): Promise<RunningServer> {
  const [port, socket, page] = [await freePort(), await freePort(), await freePort()];
  const ports = ["--port", port, "--ws-server-port", socket, "--web-viewer-port", page].map(String);
  const command = [...rerun, "--serve-web", "--bind", "127.0.0.1", ...ports];
  const limit = ["--server-memory-limit", "8GB"];
  const program = new Program([...command, ...limit], { env: { ...env, RUST_LOG: "info" } });
  await program.waitFor(/Hosting a SDK server/, DEADLINE_MS);
  await program.waitFor(/Hosting a WebSocket server/, DEADLINE_MS);
  return running(socket, port, program, stream);
}

function running(port: number, sdkPort: number, program: Program, stream: Stream): RunningServer {
  return {
    port,
    source: () => startChild(SENDER, [String(sdkPort), stream.path, "1"]),
    usage: () => usageOf(program.pid!),
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

async function startControl(
  runtime: "deno" | "bun",
  stream: Stream,
  viewers: number,
): Promise<RunningServer> {
  const child = startChild(CONTROL, [stream.path, String(viewers)], undefined, runtime);
  type Ready = { readonly port: number; readonly pid: number };
  const { port, pid } = await within(DEADLINE_MS, runtime, child.next<Ready>());
  return {
    port,
    source: () => child,
    usage: () => usageOf(pid),
    [Symbol.asyncDispose]: () => child.stop(),
  };
}
