/** One side of the measurement of lag, as a process: `robots FIRST COUNT SECONDS PORT` or `middle URL`. */
import process from "node:process";
import { memoryTcp, Server, silentLog } from "../../mod.ts";
import { fromNats } from "../../lib/server/from_nats.ts";
import { concat } from "../encoding/rrd_builder.ts";
import { connectSdk, Robot, send, Template } from "./robot.ts";

const [role, ...args] = process.argv.slice(2);
/** Messages of one recording a second. */
const PER_SEC = 20;
const TICK_MS = 8;
/** Of each connection, not counted. */
const WARM_UP_MS = 3000;

/** Many recordings over one connection, each message when it is due. */
async function robots(): Promise<void> {
  const [first = 0, count = 1, seconds = 10, port = 0] = args.map(Number);
  const all = Array.from({ length: count }, (_, i) => new Robot(`r${first + i}`));
  const socket = await connectSdk(port);
  for (const robot of all) await send(socket, robot.announcement());
  const templates = all.map((robot) => new Template(robot.scalar("/a", 1, 1)));
  const begin = performance.now();
  const end = begin + seconds * 1000;
  let sent = 0;
  // What is due in the same moment goes in one write, as an SDK gathers it.
  for (let due = begin; due < end;) {
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    const packets: Uint8Array[] = [];
    for (const now = performance.now(); due < Math.min(now, end); due += 1000 / (PER_SEC * count)) {
      packets.push(templates[sent++ % count]!.at(Date.now() - (now - due)));
    }
    if (packets.length > 0) await send(socket, concat(...packets));
  }
  socket.end();
  console.log(JSON.stringify({ sent, lateMs: performance.now() - end }));
}

async function middle(): Promise<void> {
  const server = await Server.listen(memoryTcp(), { log: silentLog, reuseBuffers: true });
  const feed = fromNats({ url: args[0]! });
  server.join(feed);
  const lags: number[] = [];
  let [first, last] = [0, 0];
  const stop = setInterval(() => {
    if (first > 0 && performance.now() - last > 4000) void server.close();
  }, 200);
  for await (const batch of server.batches()) {
    first ||= performance.now();
    last = performance.now();
    const now = Date.now();
    for (const { payload } of batch) {
      if (payload.type !== "msg" || payload.msg.kind !== "ArrowMsg") continue;
      const sentMs = Number(payload.msg.chunkId!.timeNs / 1_000_000n);
      if (last - first > WARM_UP_MS) lags.push(now - sentMs);
    }
    feed.received(batch);
  }
  clearInterval(stop);
  lags.sort((a, b) => a - b);
  const at = (share: number) => lags[Math.floor(share * (lags.length - 1))] ?? 0;
  console.log(JSON.stringify({ messages: lags.length, p50: at(0.5), p99: at(0.99), max: at(1) }));
}

await (role === "robots" ? robots() : middle());
process.exit(0);
