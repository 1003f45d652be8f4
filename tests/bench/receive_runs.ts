/** One measured run: a receiver and a sender, each a process of its own. */
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import process from "node:process";
import { Child, within } from "../conformance/child.ts";
import { startChild } from "../contract/child.ts";
import type { Stream } from "./streams.ts";

/** What is measured on both runtimes. */
export const SUBJECTS = ["deno server", "deno control", "bun server", "bun control"] as const;

/** The figures of one run. */
export interface Run {
  /** From the first byte sent until the receiver saw the end. */
  readonly sec: number;
  /** Of the receiver, from its start; NaN if unknown. */
  readonly cpuSec: number;
  readonly peakKiB: number;
}

/** No run takes longer unless something is stuck, in milliseconds. */
export const DEADLINE_MS = 120_000;

const RECEIVER = new URL("receive_child.ts", import.meta.url);
const SENDER = new URL("send_child.ts", import.meta.url);

/**
 * Sends a stream to one receiver.
 *
 * @throws if it did not take in exactly what was sent
 */
export async function measure(subject: typeof SUBJECTS[number], stream: Stream): Promise<Run> {
  const [runtime, what] = subject.split(" ") as ["deno" | "bun", "server" | "control"];
  const receiver = startChild(RECEIVER, [what], undefined, runtime);
  try {
    const { port } = await within(DEADLINE_MS, subject, receiver.next<{ port: number }>());
    const sec = await send(stream, port, () => receiver.next());
    const { count, ...run } = await receiver.next<Run & { count: number }>();
    const expected = what === "server" ? stream.messages : stream.bytes;
    if (count !== expected) throw new Error(`${subject} received ${count}, not ${expected}`);
    return { ...run, sec };
  } finally {
    await receiver.stop();
  }
}

/**
 * Sends a stream to another server, which says itself how long it took.
 *
 * @param program the server; it is given a port
 * @throws if it did not take in exactly what was sent
 */
export async function measurePeer(program: string, stream: Stream): Promise<Run> {
  const port = await freePort();
  const env = { ...process.env as Record<string, string>, RUST_LOG: "info" };
  await using peer = new Child([program, String(port)], { env });
  await peer.waitFor(/Hosting a SDK server/, DEADLINE_MS);
  let sec = NaN;
  await send(stream, port, async () => {
    const [, count, text] = await peer.waitFor(/msgs (\d+) in ([\d.]+)\s?s/, DEADLINE_MS);
    if (Number(count) !== stream.messages) throw new Error(`the peer received ${count} messages`);
    sec = Number(text);
  });
  return { sec, ...usageOf(peer.pid!) };
}

/** Sends it, and says how long it took until it was received. */
export async function send({ path }: Stream, port: number, received: () => Promise<unknown>) {
  const sender = startChild(SENDER, [String(port), path]);
  try {
    await within(DEADLINE_MS, "the sender", sender.next());
    const start = performance.now();
    sender.tell("go");
    await within(DEADLINE_MS, "the receiver", received());
    return (performance.now() - start) / 1000;
  } finally {
    await sender.stop();
  }
}

/** Where there is no `/proc`, nothing is known. */
function usageOf(pid: number): Omit<Run, "sec"> {
  if (process.platform !== "linux") return { cpuSec: NaN, peakKiB: NaN };
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const [user, system] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ")
    .slice(11, 13).map(Number);
  const ticksPerSec = 100;
  return {
    cpuSec: (user! + system!) / ticksPerSec,
    peakKiB: Number(/VmHWM:\s*(\d+)/.exec(status)![1]),
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
