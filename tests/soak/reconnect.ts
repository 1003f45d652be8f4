/**
 * Clients that reconnect each second to the command line that saves them, on the runtime that runs
 * this:
 *
 *     deno run -A tests/soak/reconnect.ts [--minutes 10] [--clients 50] [--seed S]
 *     bun tests/soak/reconnect.ts
 *
 * Once a second, when the clients have left, memory and file descriptors are read. The first fifth
 * of the time is left out, as runtimes still load and compile then. The memory's trend is that of
 * the lowest value of each 10 s; there is none if the interval of 95 % holds 0.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { detectRuntime } from "../../lib/adapters/runtime.ts";
import { concat, framed, HELLO } from "../encoding/rrd_builder.ts";
import { seeded } from "../random.ts";
import { scriptArgs } from "../script_args.ts";
import { ClientPackets } from "./client_packets.ts";
import { closed, dial, Host, must, sleep, write } from "./host.ts";
import { lows, trend } from "./trend.ts";

const WINDOW_SEC = 10;
const PACKETS = 5;

const { seed, numbers: { minutes, clients } } = scriptArgs({ minutes: 10, clients: 50 });
console.log(`${detectRuntime()}: ${clients} clients a second for ${minutes} min, seed ${seed}`);
const random = seeded(seed);
const folder = await mkdtemp(join(tmpdir(), "rerelay-soak-"));
const host = await Host.start(["--save", join(folder, "{recording_id}.rrd")], 1024);
const packets = Array.from({ length: clients }, (_, client) => new ClientPackets(client, 20_000));
const memory: number[] = [];
const descriptors: number[] = [];
const end = performance.now() + minutes * 60_000;
try {
  for (let second = performance.now(); second < end && host.alive; second += 1000) {
    await Promise.all(packets.map(reconnect));
    await sleep(Math.max(50, second + 1000 - performance.now()));
    memory.push(host.rssMiB);
    descriptors.push(host.descriptors);
  }
  must(host.alive, "the process lives");
  report();
  const { code, seconds } = await host.stop();
  must(code === 0, `ended with ${code} after ${seconds.toFixed(1)} s`);
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function reconnect(packets: ClientPackets): Promise<void> {
  const socket = await dial(host.port);
  const bytes = concat(...Array.from({ length: PACKETS }, () => framed(packets.next())));
  // A third are cut off inside a packet.
  const cut = random() < 0.33 ? Math.floor(random() * bytes.length) : bytes.length;
  await write(socket, concat(HELLO, bytes.subarray(0, cut)));
  if (random() < 0.2) socket.resetAndDestroy();
  else socket.end();
  await closed(socket);
}

function report(): void {
  const start = Math.floor(memory.length / 5);
  const lowest = lows(memory.slice(start), WINDOW_SEC);
  const { slope, low, high } = trend(lowest, WINDOW_SEC / 60);
  const [first, last] = [lowest[0]!, lowest.at(-1)!];
  const kib = (value: number) => (value * 1024).toFixed(0);
  must(
    low <= 0,
    `memory: ${kib(slope)} KiB a minute (95 %: ${kib(low)} to ${kib(high)}), ` +
      `${memory[0]!.toFixed(0)} MiB at first, then ${first.toFixed(0)} to ${last.toFixed(0)}`,
  );
  const open = descriptors.slice(start);
  const files = trend(lows(open, WINDOW_SEC), WINDOW_SEC / 60);
  must(
    files.slope === 0,
    `file descriptors: ${Math.min(...open)} to ${Math.max(...open)}, trend ${files.slope}`,
  );
  console.log(`  ${memory.length * clients} connections, ${host.lines} log lines`);
}
