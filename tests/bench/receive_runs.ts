/** One measured run: a receiver and a sender, each a process of its own. */
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Child as Program, within } from "../conformance/child.ts";
import { type Child, startChild, startProgram } from "../contract/child.ts";
import type { Stream } from "./streams.ts";

/** What the receiver does with what it gets. */
export type What = "server" | "tables" | "save" | "control";

/** Who receives, and from how many clients at once. */
export interface Subject {
  readonly runtime: "deno" | "bun" | "peer";
  readonly what: What;
  readonly clients: number;
  /** Sent by the kernel out of a file, which leaves the receiver more of the processor. */
  readonly sendfile?: boolean;
}

/** The figures of one run. */
export interface Run {
  /** From the first byte that was sent until the receiver had counted the last message. */
  readonly sec: number;
  /** Of the receiver, in that time. */
  readonly cpuSec: number;
  /** Of the receiver since its start, NaN if unknown. */
  readonly peakKiB: number;
}

/** No run takes longer unless something is stuck, in milliseconds. */
export const DEADLINE_MS = 120_000;

const RECEIVER = new URL("receive_child.ts", import.meta.url);
const SENDER = new URL("send_child.ts", import.meta.url);
const FILE_SENDER = fileURLToPath(new URL("send_file.py", import.meta.url));
const PARTS_SENDER = new URL("send_parts_child.ts", import.meta.url);

/** What a receiver says when a part of the stream is over. */
interface Received {
  readonly at: number;
  readonly count: number;
  readonly cpuSec: number;
  readonly peakKiB: number;
}

/** What a sender says before it sends. */
interface Sent {
  readonly messages: number;
  readonly bytes: number;
  readonly startedAt: number;
}

/**
 * Sends a stream to one receiver that was warmed up with its first 48 MB.
 *
 * @param subject who receives
 * @param stream what is sent
 * @param given the peer's program, and a file for what is saved
 * @throws if it did not take in exactly what was sent
 */
export async function measure(
  subject: Subject,
  stream: Stream,
  given: { readonly peer: string | undefined; readonly file: string },
): Promise<Run> {
  await using receiver = subject.runtime === "peer"
    ? await Peer.start(given.peer!)
    : await Own.start(subject, given.file);
  const clients = String(subject.clients);
  const sender = subject.sendfile
    ? startProgram(["python3", FILE_SENDER, String(receiver.port), stream.path])
    : startChild(PARTS_SENDER, [String(receiver.port), stream.path, clients]);
  const name = `${subject.runtime} ${subject.what}`;
  const count = subject.what === "control" ? "bytes" : "messages";
  const sentAndReceived = async () => {
    const sent = await within(DEADLINE_MS, "the sender", sender.next<Sent>());
    sender.tell("go");
    const received = await within(DEADLINE_MS, name, receiver.received());
    if (received.count !== sent[count]) {
      throw new Error(`${name} received ${received.count} ${count}, not ${sent[count]}`);
    }
    return { sent, received };
  };
  try {
    await sentAndReceived();
    sender.tell("now all");
    const { sent, received } = await sentAndReceived();
    const { at, cpuSec, peakKiB } = received;
    return { sec: at - sent.startedAt, cpuSec, peakKiB };
  } finally {
    await sender.stop();
  }
}

/** Rerelay, or the control. */
class Own implements AsyncDisposable {
  private constructor(readonly port: number, readonly child: Child) {}

  static async start({ runtime, what, clients }: Subject, file: string): Promise<Own> {
    const args = [what, String(clients), file];
    const child = startChild(RECEIVER, args, undefined, runtime as "deno" | "bun");
    const { port } = await within(DEADLINE_MS, runtime, child.next<{ port: number }>());
    return new Own(port, child);
  }

  received(): Promise<Received> {
    return this.child.next<Received>();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.child.stop();
  }
}

/** Sends a stream once, and says how long it took until it was received. */
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

/** Another server: `PROGRAM PORT` prints `msgs N at TIME` when its clients have gone quiet. */
class Peer implements AsyncDisposable {
  #parts = 0;
  #cpuSec = 0;
  private constructor(readonly port: number, readonly program: Program) {}

  static async start(path: string): Promise<Peer> {
    const port = await freePort();
    const env = { ...process.env as Record<string, string>, RUST_LOG: "info" };
    const program = new Program([path, String(port)], { env });
    await program.waitFor(/Hosting a SDK server/, DEADLINE_MS);
    return new Peer(port, program);
  }

  async received(): Promise<Received> {
    const line = new RegExp(`(?:msgs \\d+ at [^]*){${this.#parts++}}msgs (\\d+) at ([\\d.]+)\\n`);
    const [, count, at] = await this.program.waitFor(line, DEADLINE_MS);
    const { cpuSec, peakKiB } = usageOf(this.program.pid!);
    const used = cpuSec - this.#cpuSec;
    this.#cpuSec = cpuSec;
    return { at: Number(at), count: Number(count), cpuSec: used, peakKiB };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program[Symbol.asyncDispose]();
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
