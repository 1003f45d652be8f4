/**
 * Many connections that say nothing, beside SDKs that come and log; on the runtime that runs this:
 *
 *     deno run -A tests/soak/idle.ts [--count 10000] [--seconds 60] [--again 1]
 *     bun tests/soak/idle.ts
 *
 * With `--again 1` those that are closed come again at once, all the time.
 */
import { detectRuntime } from "../../lib/adapters/runtime.ts";
import { startChild } from "../contract/child.ts";
import { concat, framed, HELLO } from "../encoding/rrd_builder.ts";
import { scriptArgs } from "../script_args.ts";
import { ClientPackets, recordingId } from "./client_packets.ts";
import { dial, Host, must, sleep, write } from "./host.ts";

const MAX_SERVED_MS = 100;
const MAX_MIB = 160;
const MAX_SEC = 11;
/** From one SDK that was served to the next. */
const EVERY_MS = 100;
/** Over the idle ones, for SDKs and what else is open. */
const SPARE_FILES = 500;

const { numbers: { count, seconds, again } } = scriptArgs({ count: 10_000, seconds: 60, again: 0 });
console.log(`${detectRuntime()}: ${count} idle connections for ${seconds} s`);
const host = await Host.start([], count + SPARE_FILES);
await served(host, 0);
host.forgetPeak();
const before = host.rssMiB;
const peer = startChild(
  new URL("idle_peer.ts", import.meta.url),
  [host.port, count, seconds, again].map(String),
  count + SPARE_FILES,
);
let most = 0;
const waits: number[] = [];
let isOver = false;
const sdks = (async () => {
  for (let i = 1; !isOver; i++) {
    waits.push(await served(host, i));
    await sleep(EVERY_MS);
  }
})();
for (;;) {
  const counts = await peer.next<{
    open: number;
    opened: number;
    failed: number;
    slowestSec: number;
    fastestSec: number;
    end?: true;
  }>();
  most = Math.max(most, counts.open);
  if (counts.end) {
    must(most === count, `${most} were open at once, ${counts.opened} in all`);
    must(
      counts.slowestSec <= MAX_SEC,
      `closed after ${counts.fastestSec.toFixed(1)} to ${counts.slowestSec.toFixed(1)} s`,
    );
    break;
  }
}
isOver = true;
await sdks;
await peer.stop();
const grown = host.peakMiB - before;
must(grown <= MAX_MIB, `memory grew by ${grown.toFixed(0)} MiB at the highest`);
waits.sort((a, b) => a - b);
const median = waits[waits.length >> 1]!;
must(
  waits.at(-1)! < MAX_SERVED_MS,
  `${waits.length} new SDKs were served in ${median.toFixed(0)} ms (median), ` +
    `${waits.at(-1)!.toFixed(0)} ms (slowest), ` +
    `${waits.filter((ms) => ms >= MAX_SERVED_MS).length} not in ${MAX_SERVED_MS} ms`,
);
must((await host.stop()).code === 0, "the process lived");
console.log(`  ${host.lines} log lines`);

/** How long a new SDK waits from its connect until the server says what it logs, in milliseconds. */
async function served(host: Host, client: number): Promise<number> {
  const packets = new ClientPackets(client, 5000);
  const start = performance.now();
  const seen = host.sees(new RegExp(`logs recording "${recordingId(client)}"`), 20_000);
  const socket = await dial(host.port);
  await write(socket, concat(HELLO, framed(packets.next()), framed(packets.next())));
  await seen;
  const ms = performance.now() - start;
  socket.end();
  await sleep(10);
  return ms;
}
