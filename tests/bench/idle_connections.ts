/**
 * How much memory idle connections take, on the runtime that runs this:
 *
 *     deno run -A tests/bench/idle_connections.ts [4000]
 *     bun tests/bench/idle_connections.ts [4000]
 */
import { connect, type Socket } from "node:net";
import process from "node:process";
import { detectRuntime } from "../../lib/adapters/runtime.ts";
import { type Child, startChild } from "../contract/child.ts";

const count = Number(process.argv[2] ?? 4000);
const BURST = 1_000_000;

interface Counts {
  open: number;
  bytes: number;
  rssKiB: number;
}

/** Ten a second. */
const MAX_LOOKS = 600;

async function until(child: Child, condition: (counts: Counts) => boolean): Promise<Counts> {
  for (let looks = 0;; looks++) {
    child.tell("memory?");
    const counts = await child.next<Counts>();
    if (condition(counts)) return counts;
    if (looks > MAX_LOOKS) throw new Error(`It stays at ${JSON.stringify(counts)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const child = startChild(
  new URL("../contract/accept_child.ts", import.meta.url),
  [],
  // More than 300 descriptors are kept for files and others.
  count + 1000,
);
const { port } = await child.next<{ port: number }>();
const before = await until(child, () => true);
const row = (what: string, { rssKiB }: Counts) => {
  const grown = rssKiB - before.rssKiB;
  console.log(
    what.padEnd(34),
    `${(rssKiB / 1024).toFixed(1)} MiB`.padStart(10),
    `${(grown / count).toFixed(1)} KiB each`.padStart(16),
  );
};

console.log(`${detectRuntime()}, ${count} connections${"RSS".padStart(20)}`);
row("before", before);

const sockets: Socket[] = [];
for (let i = 0; i < count; i++) {
  const socket = connect(port, "127.0.0.1");
  sockets.push(socket);
  await new Promise((resolve) => socket.once("connect", resolve));
}
row("connected, nothing sent", await until(child, ({ open }) => open === count));

for (const socket of sockets) socket.write(new Uint8Array(12));
row("after 12 bytes each (a handshake)", await until(child, ({ bytes }) => bytes === count * 12));

const burst = new Uint8Array(BURST);
for (const socket of sockets) {
  await new Promise((resolve) => socket.write(burst, resolve));
}
const all = count * (12 + BURST);
row("after 1 MB more each, then idle", await until(child, ({ bytes }) => bytes === all));
await child.stop();
process.exit();
