/**
 * How much memory idle clients take, which have said hello and nothing since:
 *
 *     deno run -A tests/bench/idle_clients.ts [10000] [--runtime deno|bun]
 */
import { connect, type Socket } from "node:net";
import process from "node:process";
import { parseArgs } from "@std/cli";
import { detectRuntime } from "../../lib/adapters/runtime.ts";
import { startChild } from "../contract/child.ts";

interface Counts {
  readonly open: number;
  readonly rssKiB: number;
}

/** Memory in KiB before, and with so many idle clients. */
export interface IdleMemory {
  readonly beforeKiB: number;
  readonly withKiB: number;
}

/** Ten a second. */
const MAX_LOOKS = 600;

const HELLO = Uint8Array.of(1, 0, ...new TextEncoder().encode("rerun"));

/**
 * Connects idle clients to a server of its own.
 *
 * @param clients how many
 * @param runtime what the server runs on
 */
export async function idleMemory(clients: number, runtime: "deno" | "bun"): Promise<IdleMemory> {
  // More than 300 descriptors are kept for files and others.
  const files = clients + 1000;
  const program = new URL("idle_child.ts", import.meta.url);
  const child = startChild(program, [String(clients + 1)], files, runtime);
  const sockets: Socket[] = [];
  const ask = async () => {
    child.tell("memory?");
    return await child.next<Counts>();
  };
  try {
    const { port } = await child.next<{ port: number }>();
    const before = await ask();
    while (sockets.length < clients) {
      const socket = connect(port, "127.0.0.1");
      sockets.push(socket);
      await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
      socket.write(HELLO);
    }
    let after = await ask();
    // Long enough for what is dead by then to be given back, or not.
    for (let i = 0; i < 20 || after.open < clients; i++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      after = await ask();
      if (i > MAX_LOOKS) throw new Error(`Only ${after.open} of ${clients} clients are open`);
    }
    return { beforeKiB: before.rssKiB, withKiB: after.rssKiB };
  } finally {
    for (const socket of sockets) socket.destroy();
    await child.stop();
  }
}

if (import.meta.main) {
  const args = parseArgs(process.argv.slice(2), { string: ["runtime"] });
  const clients = Number(args._[0] ?? 10_000);
  const runtime = (args.runtime ?? detectRuntime()) as "deno" | "bun";
  const { beforeKiB, withKiB } = await idleMemory(clients, runtime);
  const grown = withKiB - beforeKiB;
  console.log(
    `${runtime}, ${clients} idle clients: ${(beforeKiB / 1024).toFixed(1)} MiB before, ` +
      `${(grown / 1024).toFixed(1)} MiB more, ${(grown / clients).toFixed(1)} KiB each`,
  );
  process.exit();
}
