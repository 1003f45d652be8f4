/** One measured run of a server with viewers: each a process of its own. */
import { fileURLToPath } from "node:url";
import type { Sdk } from "../conformance/sdk_cache.ts";
import { within } from "../conformance/child.ts";
import { type Child, startProgram } from "../contract/child.ts";
import { DEADLINE_MS } from "./receive_runs.ts";
import type { Stream } from "./streams.ts";
import { type RunningServer, type Server, startServer } from "./viewers_servers.ts";

/** What one set of viewers got. */
export interface Got {
  /** Bytes of each, heads of frames included. */
  readonly bytes: number;
  /** Seconds until each had the last of them. */
  readonly secs: readonly number[];
  /** Of the server's processors, in that time; NaN if unknown. */
  readonly cpuSec: number;
}

/** The figures of one run. */
export interface Run {
  /** Of those who were there before the first message, from the first byte that the client sent. */
  readonly live: Got;
  /** Of those who came when all was there, from their connect; the control has no history. */
  readonly late: Got | undefined;
  /** Of the server, in all that time; NaN if unknown. */
  readonly peakKiB: number;
}

const VIEWERS = fileURLToPath(new URL("viewers_child.py", import.meta.url));

/** What viewers say when all have had so many messages. */
interface Had {
  readonly messages: readonly number[];
  readonly bytes: readonly number[];
  readonly at: readonly number[];
}

/**
 * Sends a stream to viewers through a server that was warmed up with its first 48 MB, and then once
 * more to others that come late.
 *
 * @param server which
 * @param stream what is sent
 * @param count of viewers
 * @param sdk with Rerun's own command line
 * @param before folder of an earlier Rerelay
 * @throws if any of them did not get exactly what was sent
 */
export async function measureViewers(
  server: Server,
  stream: Stream,
  count: number,
  sdk: Sdk,
  before?: string,
): Promise<Run> {
  await using running = await startServer(server, stream, count, sdk, before);
  await using viewers = Viewers.connect(running.port, count, server);
  await viewers.ready();
  const source = running.source();
  try {
    source.tell("warm up");
    const { messages: warm } = await within(DEADLINE_MS, "the sender", source.next<Sent>());
    const before = await viewers.have(warm);
    const { cpuSec: used } = running.usage();
    source.tell("all");
    const { messages, startedAt } = await within(DEADLINE_MS, "the sender", source.next<Sent>());
    const after = await viewers.have(warm + messages);
    const { cpuSec } = running.usage();
    const live = { ...got(after, startedAt, before), cpuSec: cpuSec - used };
    const late = server.endsWith("control")
      ? undefined
      : await catchUp(running, count, warm + messages, server);
    return { live, late, peakKiB: running.usage().peakKiB };
  } finally {
    await source.stop();
  }
}

/** What a sender says before it sends. */
interface Sent {
  readonly messages: number;
  readonly startedAt: number;
}

async function catchUp(
  running: RunningServer,
  count: number,
  messages: number,
  server: Server,
): Promise<Got> {
  const { cpuSec: used } = running.usage();
  await using viewers = Viewers.connect(running.port, count, server);
  // Rerun's server accepts the next when the one before has all.
  viewers.expect(messages);
  const { startedAt } = await viewers.ready();
  const had = await viewers.had(messages);
  return { ...got(had, startedAt), cpuSec: running.usage().cpuSec - used };
}

function got({ bytes, at }: Had, startedAt: number, before?: Had): Omit<Got, "cpuSec"> {
  const each = bytes.map((count, i) => count - (before?.bytes[i] ?? 0));
  if (each.some((count) => count !== each[0])) throw new Error(`Not the same for all: ${each}`);
  return { bytes: each[0]!, secs: at.map((end) => end - startedAt) };
}

/** Viewers in a process of their own. */
class Viewers {
  private constructor(readonly child: Child, readonly server: Server) {}

  static connect(port: number, count: number, server: Server): Viewers {
    const program = startProgram(["python3", VIEWERS, String(port), String(count)]);
    return new Viewers(program, server);
  }

  ready(): Promise<{ startedAt: number }> {
    return this.#next<{ startedAt: number }>();
  }

  /** Asks to be told when each has had so many messages. */
  expect(messages: number): void {
    this.child.tell(String(messages));
  }

  async had(messages: number): Promise<Had> {
    const had = await this.#next<Had>();
    if (had.messages.some((count) => count !== messages)) {
      throw new Error(`${this.server} gave viewers ${had.messages} messages, not ${messages}`);
    }
    return had;
  }

  have(messages: number): Promise<Had> {
    this.expect(messages);
    return this.had(messages);
  }

  #next<T>(): Promise<T> {
    return within(DEADLINE_MS, `viewers of ${this.server}`, this.child.next<T>());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.child.stop();
  }
}
