/** One measured run: a receiver and a sender, each a process of its own. */
import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Child as Program, within } from "../conformance/child.ts";
import { type Child, startChild, startProgram } from "../contract/child.ts";
import { DENO_FLAGS } from "../../tools/runtimes.mjs";
import { RerunSaver, type Saved } from "./rerun_saver.ts";
import type { Stream } from "./streams.ts";
import { freePort } from "../free_ports.ts";

/** What the receiver does with what it gets. */
export type What =
  | "server"
  | "tables"
  | "column"
  | "columns"
  | "bridge"
  | "bridge-save"
  | "save"
  | "view"
  | "bridge-view"
  | "lz4"
  | "control"
  | "drain"
  | "copy";

/** Who receives, and from how many clients at once. */
export interface Subject {
  readonly runtime: "deno" | "bun" | "peer" | "rerun";
  readonly what: What;
  readonly clients: number;
  /** How often all of it is received before: a runtime takes seconds until all code is compiled well. */
  readonly warmUps?: number;
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

/** Programs and files of a run. */
export interface Given {
  /** Rerun's own server, see `peer/`. */
  readonly peer: string | undefined;
  /** Rerun's own command line. */
  readonly rerun?: string | undefined;
  /** What is saved. */
  readonly file: string;
}

/** No run takes longer unless something is stuck, in milliseconds. */
export const DEADLINE_MS = 120_000;

const RECEIVER = fileURLToPath(new URL("receive_child.ts", import.meta.url));
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
 * Sends a stream to one receiver that was warmed up with its first 48 MB, and all of it where the
 * subject says so.
 *
 * @param subject who receives
 * @param stream what is sent
 * @param given the programs, and a file for what is saved
 * @throws if it did not take in exactly what was sent
 */
export async function measure(
  subject: Subject,
  stream: Stream,
  given: Given,
): Promise<Run> {
  try {
    return await measureOnce(subject, stream, given);
  } finally {
    // What is left over would be mended by the next.
    const names = ["", ".part", ".lock"].map((end) => given.file + end);
    await Promise.all(names.map((name) => rm(name, { force: true })));
  }
}

async function measureOnce(subject: Subject, stream: Stream, given: Given): Promise<Run> {
  await using receiver = await started(subject, given);
  const clients = String(subject.clients);
  const sender = subject.sendfile
    ? startProgram(["python3", FILE_SENDER, String(receiver.port), stream.path])
    : startChild(PARTS_SENDER, [String(receiver.port), stream.path, clients]);
  const name = `${subject.runtime} ${subject.what}`;
  const count = isControl(subject) ? "bytes" : "messages";
  const sentAndReceived = async (what: "warm up" | "all") => {
    sender.tell(what);
    const sent = await within(DEADLINE_MS, "the sender", sender.next<Sent>());
    const received = await within(DEADLINE_MS, name, receiver.received());
    if (received.count !== sent[count]) {
      throw new Error(`${name} received ${received.count} ${count}, not ${sent[count]}`);
    }
    return { sent, received };
  };
  try {
    await sentAndReceived("warm up");
    for (let i = 0; i < (subject.warmUps ?? 0); i++) await sentAndReceived("all");
    const { sent, received } = await sentAndReceived("all");
    const { at, cpuSec, peakKiB } = received;
    return { sec: at - sent.startedAt, cpuSec, peakKiB };
  } finally {
    await sender.stop();
  }
}

function isControl({ what }: Subject): boolean {
  return what === "control" || what === "drain" || what === "copy";
}

function started(subject: Subject, { peer, rerun, file }: Given): Promise<Receiver> {
  if (subject.runtime === "peer") return Peer.start(peer!, subject.what);
  return subject.runtime === "rerun" ? Rerun.start(rerun!, file) : Own.start(subject, file);
}

interface Receiver extends AsyncDisposable {
  readonly port: number;
  /** Resolves when a part of the stream is over. */
  received(): Promise<Received>;
}

/** Rerelay, or a control. */
class Own implements Receiver {
  private constructor(readonly port: number, readonly child: Child) {}

  static async start({ runtime, what, clients }: Subject, file: string): Promise<Own> {
    const args = [what, String(clients), file];
    const run = runtime === "deno" ? ["deno", "run", "-A", "--no-check", ...DENO_FLAGS] : ["bun"];
    const child = startProgram([...run, RECEIVER, ...args]);
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

/** Another server: `PROGRAM PORT [drain]` prints `msgs N at TIME` when its clients have gone quiet. */
class Peer implements Receiver {
  #parts = 0;
  #cpuSec = 0;
  private constructor(readonly port: number, readonly program: Program) {}

  static async start(path: string, what: What): Promise<Peer> {
    const port = await freePort();
    const env = { ...process.env as Record<string, string>, RUST_LOG: "info" };
    const args = what === "drain" ? [what] : [];
    const program = new Program([path, String(port), ...args], { env });
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

/** `rerun --save`, which says nothing: its file is looked at. */
class Rerun implements Receiver {
  #saved: Saved = { at: 0, messages: 0 };
  #cpuSec = 0;
  private constructor(readonly port: number, readonly saver: RerunSaver) {}

  static async start(path: string, file: string): Promise<Rerun> {
    const port = await freePort();
    return new Rerun(port, await RerunSaver.start(path, port, file, DEADLINE_MS));
  }

  async received(): Promise<Received> {
    const before = this.#saved.messages;
    this.#saved = await this.saver.more(this.#saved);
    const { cpuSec, peakKiB } = usageOf(this.saver.program.pid!);
    const used = cpuSec - this.#cpuSec;
    this.#cpuSec = cpuSec;
    return { at: this.#saved.at, count: this.#saved.messages - before, cpuSec: used, peakKiB };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.saver[Symbol.asyncDispose]();
  }
}

/** What a process has used; where there is no `/proc`, nothing is known. */
export function usageOf(pid: number): Omit<Run, "sec"> {
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
