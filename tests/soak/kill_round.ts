/** One round: a server, a client at full speed, and `kill -9`. */
import { Buffer } from "node:buffer";
import { existsSync, readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { Child } from "../conformance/child.ts";
import { packetOf, PREAMBLE } from "./kill_packets.ts";

/** What is done in a round. */
export interface Round {
  readonly name: string;
  readonly runtime: "deno" | "bun";
  readonly pattern: string;
  readonly args: readonly string[];
  /** From the first byte on. */
  readonly killMs: number;
}

/** How far a client came. */
export interface Sent {
  /** Numbered packets that were handed to the system. */
  readonly packets: number;
  /** Of these, those that the server had taken 500 ms before its end; 0 where nobody knows. */
  readonly due: number;
}

const CLI = new URL("../../cli.ts", import.meta.url).pathname;
const READY = /TCP at 127\.0\.0\.1:(\d+)\. Connect/;
/** Packets that are written at once. */
const ROUND_PACKETS = 200;
const PROMISE_MS = 500;

/** Plays a round. */
export async function killRound(round: Round, folder: string): Promise<Sent> {
  await mkdir(folder, { recursive: true });
  const run = round.runtime === "deno" ? ["deno", "run", "-A", "--no-check", "-q"] : ["bun"];
  const save = ["--save", join(folder, round.pattern), ...round.args];
  await using cli = new Child([...run, CLI, "--port", "0", ...save]);
  const port = Number((await cli.waitFor(READY, 60_000))[1]);
  await cli.waitFor(/Saving what is logged/, 60_000);
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await new Promise((resolve) => socket.once("connect", resolve));
  const samples: { readonly at: number; readonly taken: number }[] = [];
  let packets = 0;
  let handed = 0;
  let over = false;
  const sending = (async () => {
    let bytes: Uint8Array = PREAMBLE;
    while (!over && await write(socket, bytes)) {
      handed += bytes.length;
      if (bytes !== PREAMBLE) packets += ROUND_PACKETS;
      const batch = Array.from({ length: ROUND_PACKETS }, (_, i) => packetOf(packets + i));
      bytes = Buffer.concat(batch);
    }
  })();
  const start = performance.now();
  while (performance.now() - start < round.killMs) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    // First what was handed over, then what is under way: so it is never too much.
    const before = handed;
    samples.push({ at: performance.now(), taken: before - underWay(port) });
  }
  const end = performance.now();
  cli.kill("SIGKILL");
  await cli.ended;
  over = true;
  socket.destroy();
  await sending;
  const { taken = 0 } = samples.findLast(({ at }) => at <= end - PROMISE_MS) ?? {};
  return { packets: packets + ROUND_PACKETS, due: packetsIn(taken - PREAMBLE.length) };
}

function write(socket: Socket, bytes: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    socket.once("close", () => resolve(false));
    socket.write(bytes, (error) => {
      socket.removeAllListeners("close");
      resolve(!error);
    });
  });
}

/** Bytes in the system's queues for this port, on both sides. */
function underWay(port: number): number {
  if (!existsSync("/proc/net/tcp")) return Infinity;
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  let bytes = 0;
  for (const line of readFileSync("/proc/net/tcp", "utf8").split("\n").slice(1)) {
    const [, local = "", remote = "", , queues = ""] = line.trim().split(/\s+/);
    if (!local.endsWith(`:${hex}`) && !remote.endsWith(`:${hex}`)) continue;
    const [sending = "0", received = "0"] = queues.split(":");
    bytes += parseInt(sending, 16) + parseInt(received, 16);
  }
  return bytes;
}

/** How many whole numbered packets so many bytes are. */
function packetsIn(bytes: number): number {
  let packets = 0;
  for (let rest = bytes - packetOf(0).length; rest >= 0; rest -= packetOf(packets).length) {
    packets++;
  }
  return packets;
}
