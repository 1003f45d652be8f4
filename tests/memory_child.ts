/** A server with a slow receiver, in a process of its own; says how much it has grown. */
import process from "node:process";
import { serve, silentLog } from "../mod.ts";
import { residentKiB, say } from "./contract/child.ts";

const [limitMiB, maxLatencySec] = process.argv.slice(2).map(Number);
const server = await serve({
  port: 0,
  log: silentLog,
  channelLimitBytes: limitMiB! * 2 ** 20,
  maxLatencySec: maxLatencySec!,
});
const baseKiB = residentKiB("VmRSS");
say({ port: server.addr.port });
let messages = 0;
let fullest = 0;
for await (const batch of server.batches()) {
  fullest = Math.max(fullest, server.stats.queued.bytes);
  messages += batch.filter(({ payload }) => payload.type === "msg").length;
  if (batch.some(({ payload }) => payload.type === "quit")) break;
  // Slower than the sender, whatever the machine.
  await new Promise((resolve) => setTimeout(resolve, 3));
}
const { dropped } = server.stats;
say({ messages, dropped, fullest, grownKiB: residentKiB("VmHWM") - baseKiB });
await server.close();
