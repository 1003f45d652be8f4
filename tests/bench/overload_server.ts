/** A server whose receiver is slow or stalled, in a process of its own; says what it has seen. */
import process from "node:process";
import { type ClientStats, serve, silentLog, type SmartMessage } from "../../mod.ts";
import { heard, residentKiB, say } from "../contract/child.ts";

/** How the receiver behaves. */
export interface Receiving {
  readonly limitMiB: number;
  /** In seconds; `null`: nothing is dropped. */
  readonly maxLatencySec: number | null;
  /** What it takes up to a time after the start, in bytes a second, one phase after the other; `null`: all there is. */
  readonly phases: readonly { readonly untilSec: number; readonly takes: number | null }[];
  /** Clients that are awaited; it ends when they have left. */
  readonly clients: number;
}

/** What was seen within a quarter of a second. */
export interface Sample {
  readonly sec: number;
  /** Of the first client: how far the receiver is behind, as the server says. */
  readonly latencySec: number;
  readonly acceptRate: number;
  readonly throttled: number;
  readonly overflow: number;
  /** Of the first client and of the second: the highest age of a message at its receipt, in seconds. */
  readonly ages: readonly [number, number];
  readonly receivedBytes: number;
  readonly queuedBytes: number;
  readonly rssKiB: number;
}

/** What a client's messages were. */
export interface Seen {
  readonly id: string;
  readonly messages: number;
  readonly staticData: number;
  readonly storeInfos: number;
  /** Frames of which at least one message came, and those of them that are not whole. */
  readonly frames: number;
  readonly torn: number;
  /** Times that were lower than the one before. */
  readonly disordered: number;
  readonly quitError?: string;
}

/** What came of it. */
export interface Received {
  readonly samples: readonly Sample[];
  readonly seen: readonly Seen[];
  readonly dropped: { readonly throttled: number; readonly overflow: number };
  /** When nothing waited for the first time after the first phase. */
  readonly emptySec: number | null;
  readonly grownKiB: number;
}

const SAMPLE_MS = 250;
/** So much it takes at once at most after it had nothing to take. */
const BURST_MS = 20;

class Tally {
  readonly #perFrame: number[] = [];
  #last = -1;
  readonly seen = {
    id: "",
    messages: 0,
    staticData: 0,
    storeInfos: 0,
    frames: 0,
    torn: 0,
    disordered: 0,
    quitError: undefined as string | undefined,
  };
  maxAgeMs = 0;

  add({ payload, time }: SmartMessage, now: number): number {
    const { seen } = this;
    if (payload.type === "quit") {
      seen.quitError = payload.error?.message;
      return 0;
    }
    const { msg } = payload;
    this.maxAgeMs = Math.max(this.maxAgeMs, now - time);
    if (msg.kind === "SetStoreInfo") {
      seen.id = msg.info.storeId.id;
      seen.storeInfos++;
    } else if (msg.kind === "ArrowMsg" && msg.timepointMax!.length === 0) {
      seen.staticData++;
    } else if (msg.kind === "ArrowMsg") {
      const frame = Number(msg.timepointMax!.find(({ name }) => name === "frame")!.time);
      if (frame < this.#last) seen.disordered++;
      this.#last = frame;
      this.#perFrame[frame] = (this.#perFrame[frame] ?? 0) + 1;
      seen.messages++;
    }
    return msg.encoded.bytes.length;
  }

  close(messagesPerFrame: number): Seen {
    const { seen } = this;
    this.#perFrame.forEach((count) => {
      seen.frames++;
      if (count !== messagesPerFrame) seen.torn++;
    });
    const { quitError, ...rest } = seen;
    return quitError === undefined ? rest : { ...rest, quitError };
  }
}

async function receive(
  { limitMiB, maxLatencySec, phases, clients }: Receiving,
  perFrame: number[],
) {
  const server = await serve({
    port: 0,
    log: silentLog,
    channelLimitBytes: limitMiB * 2 ** 20,
    maxLatencySec: maxLatencySec ?? Infinity,
  });
  const baseKiB = residentKiB("VmRSS");
  say({ port: server.addr.port });
  await heard().next();

  const start = performance.now();
  const tallies = Array.from({ length: clients }, () => new Tally());
  const samples: Sample[] = [];
  let receivedBytes = 0;
  let emptySec: number | null = null;
  const sample = () => {
    const { clients: all, queued } = server.stats;
    const first: ClientStats | undefined = all.find(({ source }) => source.id === 1);
    if (first === undefined) return;
    const { latencySec, acceptRate, dropped } = first;
    samples.push({
      sec: (performance.now() - start) / 1000,
      latencySec,
      acceptRate,
      throttled: dropped.throttled.messages,
      overflow: dropped.overflow.messages,
      ages: [tallies[0]!.maxAgeMs / 1000, (tallies[1]?.maxAgeMs ?? 0) / 1000],
      receivedBytes,
      queuedBytes: queued.bytes,
      rssKiB: residentKiB("VmRSS"),
    });
    for (const tally of tallies) tally.maxAgeMs = 0;
  };
  const timer = setInterval(sample, SAMPLE_MS);

  let paidMs = start;
  const mayTake = async () => {
    for (;;) {
      const now = performance.now();
      const phase = phases.find(({ untilSec }) => now < start + untilSec * 1000);
      if (phase === undefined || phase.takes === null) return;
      const until = phase.takes === 0 ? start + phase.untilSec * 1000 : paidMs;
      if (until <= now) return;
      await new Promise((resolve) => setTimeout(resolve, Math.min(100, Math.max(1, until - now))));
    }
  };
  let left = clients;
  await mayTake();
  for await (const batch of server.batches()) {
    const now = performance.now();
    let bytes = 0;
    for (const message of batch) {
      bytes += tallies[message.source.id - 1]!.add(message, now);
      if (message.payload.type === "quit") left--;
    }
    receivedBytes += bytes;
    const elapsedSec = (now - start) / 1000;
    const phase = phases.find(({ untilSec }) => elapsedSec < untilSec);
    if (phase?.takes) paidMs = Math.max(paidMs, now - BURST_MS) + bytes / phase.takes * 1000;
    if (phase !== phases[0] && server.stats.queued.messages === 0) emptySec ??= elapsedSec;
    if (left === 0) break;
    await mayTake();
  }
  clearInterval(timer);
  const { dropped } = server.stats;
  say(
    {
      samples,
      seen: tallies.map((tally, i) => tally.close(perFrame[i]!)),
      dropped: { throttled: dropped.throttled.messages, overflow: dropped.overflow.messages },
      emptySec,
      grownKiB: residentKiB("VmHWM") - baseKiB,
    } satisfies Received,
  );
  await server.close();
}

const [receiving, perFrame] = process.argv.slice(2);
await receive(JSON.parse(receiving!), JSON.parse(perFrame!));
process.exit();
