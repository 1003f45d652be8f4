/** Takes one client in: with the server, or, as a control, only reading and discarding its bytes. */
import process from "node:process";
import { loadTcpAdapter } from "../../lib/adapters/detect.ts";
import { serve, silentLog } from "../../mod.ts";
import { residentKiB, say } from "../contract/child.ts";

async function server(): Promise<number> {
  await using server = await serve({ port: 0, log: silentLog });
  say({ port: server.addr.port });
  let messages = 0;
  for await (const batch of server.batches()) {
    messages += batch.length;
    const last = batch.at(-1)!.payload;
    if (last.type !== "quit") continue;
    if (last.error) throw last.error;
    say({ done: true });
    return messages - 1;
  }
  throw new Error("closed before the client left");
}

async function control(): Promise<number> {
  const listener = await (await loadTcpAdapter()).listen({ hostname: "127.0.0.1", port: 0 });
  say({ port: listener.addr.port });
  const connection = await listener.accept();
  let bytes = 0;
  for await (const chunk of connection!.readable) bytes += chunk.length;
  say({ done: true });
  listener.close();
  return bytes;
}

const count = await (process.argv[2] === "server" ? server() : control());
const { user, system } = process.cpuUsage();
say({ count, peakKiB: residentKiB("VmHWM"), cpuSec: (user + system) / 1e6 });
