/** The guard's runs: one receiver and one sender a stream, who stay, so that code is warm. */
import process from "node:process";
import { within } from "../conformance/child.ts";
import { type Child, startChild } from "../contract/child.ts";
import type { Allocations } from "./allocations_child.ts";
import type { Runtime } from "./guard_bounds.ts";
import type { Left } from "./guard_receive_child.ts";
import type { Stream } from "./streams.ts";

/** Ways to receive. */
export type What = "control" | "server" | "save";

/** How a stream is received. */
export interface Subject {
  readonly what: What;
  readonly clients: number;
}

/** What was measured of one subject. */
export interface Measured extends Subject {
  /** Seconds of each run, from the first byte sent until the last message was counted. */
  readonly secs: readonly number[];
  /** Of its process, after all runs. */
  readonly peakKiB: number;
}

/** Nothing here takes so long unless it is stuck, in milliseconds. */
const DEADLINE_MS = 30_000;

const RECEIVER = new URL("guard_receive_child.ts", import.meta.url);
const SENDER = new URL("guard_send_child.ts", import.meta.url);
const ALLOCATIONS = new URL("allocations_child.ts", import.meta.url);

/**
 * Lets all subjects receive a stream in turn, so that what else the machine does falls on all alike.
 *
 * @param runtime of the receiver
 * @param stream what is sent
 * @param subjects how it is received
 * @param options rounds that count, after one that does not, and the file for what is saved
 * @throws if not exactly what was sent was received
 */
export async function timeRuns(
  runtime: Runtime,
  stream: Stream,
  subjects: readonly Subject[],
  { rounds, file }: { readonly rounds: number; readonly file: string },
): Promise<Measured[]> {
  const sender = startChild(SENDER, [stream.path]);
  const whats = [...new Set(subjects.map(({ what }) => what))];
  const receivers = new Map(whats.map((what) => [what, new Receiver(runtime, what, file)]));
  try {
    const all = subjects.map((subject) => ({ ...subject, secs: [] as number[], peakKiB: 0 }));
    for (let round = 0; round <= rounds; round++) {
      for (const measured of all) {
        const { sec, peakKiB } = await receivers.get(measured.what)!.run(sender, measured.clients);
        if (round > 0) measured.secs.push(sec);
        measured.peakKiB = peakKiB;
      }
    }
    return all;
  } finally {
    await Promise.all([sender, ...receivers.values()].map((each) => each.stop()));
  }
}

/** What a sender says before it sends. */
interface Sent {
  readonly messages: number;
  readonly bytes: number;
  readonly startedAt: number;
}

class Receiver {
  readonly #name: string;
  readonly #what: What;
  readonly #child: Child;
  #port: number | undefined;
  #count = 0;

  constructor(runtime: Runtime, what: What, file: string) {
    this.#name = `${runtime} ${what}`;
    this.#what = what;
    this.#child = startChild(RECEIVER, [what, file], undefined, runtime);
  }

  async run(sender: Child, clients: number): Promise<{ sec: number; peakKiB: number }> {
    this.#port ??= (await this.#next<{ port: number }>()).port;
    sender.tell(`${this.#port} ${clients}`);
    const sent = await within(DEADLINE_MS, "the sender", sender.next<Sent>());
    let left = await this.#next<Left>();
    for (let i = 1; i < clients; i++) left = await this.#next<Left>();
    const count = left.count - this.#count;
    this.#count = left.count;
    const expected = this.#what === "control" ? sent.bytes : sent.messages;
    if (count !== expected) throw new Error(`${this.#name}: ${count} received of ${expected}`);
    return { sec: left.at - sent.startedAt, peakKiB: left.peakKiB };
  }

  #next<T>(): Promise<T> {
    return within(DEADLINE_MS, this.#name, this.#child.next<T>());
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }
}

/** Counts what memory a server takes for a stream. */
export async function countAllocations(runtime: Runtime, { path }: Stream): Promise<Allocations> {
  // Read when Bun starts: see the program.
  process.env["BUN_JSC_useGC"] = "0";
  const child = startChild(ALLOCATIONS, [path], undefined, runtime);
  delete process.env["BUN_JSC_useGC"];
  try {
    return await within(DEADLINE_MS, runtime, child.next<Allocations>());
  } finally {
    await child.stop();
  }
}
