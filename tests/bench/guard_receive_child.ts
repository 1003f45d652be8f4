/**
 * Receives again and again, and says when a client has left:
 *
 *     guard_receive_child.ts control|server|save [FILE]
 */
import process from "node:process";
import { loadTcpAdapter } from "../../lib/adapters/load.ts";
import type { TcpConnection } from "../../lib/adapters/tcp/types.ts";
import { fanOut, rrdFileSink, type Sink } from "../../lib/sinks/mod.ts";
import { serve, silentLog, type SmartMessage } from "../../mod.ts";
import { residentKiB, say } from "../contract/child.ts";
import { clock } from "./clock.ts";

/** A client has left, when so many messages (bytes, of the control) had come there in all. */
export interface Left {
  readonly at: number;
  readonly count: number;
  readonly peakKiB: number;
}

function left(count: number): void {
  say({ at: clock(), count, peakKiB: residentKiB("VmHWM") } satisfies Left);
}

/** Counts the messages. */
async function server(sinks: readonly Sink[]): Promise<number> {
  const server = await serve({ port: 0, log: silentLog, reuseBuffers: true });
  let count = 0;
  const write = (batch: readonly SmartMessage[]) => {
    for (const { payload } of batch) {
      if (payload.type === "msg") count++;
      else if (payload.error) throw payload.error;
      else left(count);
    }
  };
  const counter: Sink = { name: "count", write, close: () => Promise.resolve() };
  void fanOut([...sinks, counter]).receive(server.batches());
  return server.addr.port;
}

/** Reads and discards. */
async function control(): Promise<number> {
  const listener = await (await loadTcpAdapter()).listen({ hostname: "127.0.0.1", port: 0 });
  let count = 0;
  const drain = async (connection: TcpConnection) => {
    let chunk: Uint8Array | undefined;
    while ((chunk = await connection.read!()) !== undefined) count += chunk.length;
    left(count);
  };
  (async () => {
    for (;;) void drain((await listener.accept())!);
  })();
  return listener.addr.port;
}

const [what, file] = process.argv.slice(2);
const sinks = what === "save" ? [await rrdFileSink({ path: file!, force: true })] : [];
say({ port: await (what === "control" ? control() : server(sinks)) });
