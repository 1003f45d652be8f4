/**
 * What a second process could give: 16 clients at one server, and 8 at each of two, the best that any
 * way to share a port among workers could reach. Both times two programs send.
 *
 *     deno run -A tests/bench/workers.ts [--rounds 5]
 */
import { cpus } from "node:os";
import { within } from "../conformance/child.ts";
import { type Child, startChild } from "../contract/child.ts";
import { scriptArgs } from "../script_args.ts";
import { median } from "./figures.ts";
import { DEADLINE_MS } from "./receive_runs.ts";
import { recording } from "./recordings.ts";

const CLIENTS = 8;
const SERVER = new URL("workers_child.ts", import.meta.url);
const SENDER = new URL("send_parts_child.ts", import.meta.url);

const { rounds } = scriptArgs({ rounds: 5 }).numbers;
const stream = await recording("small", undefined);

interface Left {
  readonly at: number;
  readonly messages: number;
}

async function left(server: Child, clients: number): Promise<Left> {
  let last: Left | undefined;
  for (let i = 0; i < clients; i++) {
    last = await within(DEADLINE_MS, "a server", server.next<Left>());
  }
  return last!;
}

/** Megabytes a second of all together. */
async function measure(runtime: "deno" | "bun", workers: 1 | 2): Promise<number> {
  const children: Child[] = [];
  const start = (program: URL, args: string[], on?: "deno" | "bun") => {
    const child = startChild(program, args, undefined, on);
    children.push(child);
    return child;
  };
  try {
    const servers = Array.from({ length: workers }, () => start(SERVER, [], runtime));
    const ports: number[] = [];
    for (const server of servers) ports.push((await server.next<{ port: number }>()).port);
    const senders = [0, 1].map((i) =>
      start(SENDER, [String(ports[i % workers]), stream.path, String(CLIENTS)])
    );
    for (const [i, sender] of senders.entries()) {
      sender.tell("warm up");
      await sender.next();
      await left(servers[i % workers]!, 1);
    }
    for (const sender of senders) sender.tell("all");
    const ready = await Promise.all(
      senders.map((sender) => sender.next<{ bytes: number; startedAt: number }>()),
    );
    const ends = await Promise.all(servers.map((server) => left(server, 2 * CLIENTS / workers)));
    const sec = Math.max(...ends.map(({ at }) => at)) - Math.min(...ready.map((r) => r.startedAt));
    return ready.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6 / sec;
  } finally {
    await Promise.all(children.map((child) => child.stop()));
  }
}

console.log(`16 clients, small messages, ${cpus().length} cores: MB/s, median of ${rounds}`);
for (const runtime of ["deno", "bun"] as const) {
  const speeds: Record<1 | 2, number[]> = { 1: [], 2: [] };
  for (let round = 0; round < rounds; round++) {
    for (const workers of [1, 2] as const) speeds[workers].push(await measure(runtime, workers));
  }
  const [one, two] = [median(speeds[1]), median(speeds[2])];
  console.log(
    `${runtime}: one process ${one.toFixed(0)}, two ${two.toFixed(0)} (${
      (two / one).toFixed(2)
    } times)`,
  );
}
