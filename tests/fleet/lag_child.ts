/**
 * One side of the measurement of lag, as a process: `robots COUNT SECONDS PORT…`, which logs COUNT
 * recordings to the program at each port, and `middle URL`, or with the bare client
 * `bare-box FIRST COUNT SECONDS URL` and `bare-middle URL`. A middle ends when nothing has come for a
 * while; `middle URL SECONDS` says how long it waits for the first message.
 */
import type { Socket } from "node:net";
import process from "node:process";
import { memoryTcp, Server, silentLog } from "../../mod.ts";
import { connectNats } from "../../lib/nats/connection.ts";
import { ensureStream, STREAM } from "../../lib/nats/stream.ts";
import { fromNats } from "../../lib/server/from_nats.ts";
import { connectSdk, Robot, send, Template } from "./robot.ts";

const [role, ...args] = process.argv.slice(2);
/** Messages of one recording a second. */
const PER_SEC = 20;
const TICK_MS = 8;
/** Of each connection, not counted. */
const WARM_UP_MS = 3000;

/** Packets one behind the other, each copied once, as an SDK puts them into its buffer. */
class Packets {
  readonly #most: number;
  #buffer: Uint8Array | undefined;
  #length = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get bytes(): Uint8Array {
    return this.#buffer?.subarray(0, this.#length) ?? new Uint8Array();
  }

  add(packet: Uint8Array): void {
    // Names of recordings, and so packets, differ by a few bytes.
    this.#buffer ??= new Uint8Array(this.#most * (packet.length + 64));
    this.#buffer.set(packet, this.#length);
    this.#length += packet.length;
  }
}

/** How many ticks the making of packets is tried before any is due. */
const WARM_UP_TICKS = 500;

/** What is logged over one connection: many recordings, each message when it is due. */
class Connection {
  readonly #socket: Socket;
  readonly #templates: readonly Template[];
  #sent = 0;

  private constructor(socket: Socket, templates: readonly Template[]) {
    this.#socket = socket;
    this.#templates = templates;
  }

  /** Connects, announces the recordings, and makes what they log. */
  static async open(port: number, first: number, count: number): Promise<Connection> {
    const all = Array.from({ length: count }, (_, i) => new Robot(`r${first + i}`));
    const socket = await connectSdk(port);
    for (const robot of all) await send(socket, robot.announcement());
    return new Connection(socket, all.map((robot) => new Template(robot.scalar("/a", 1, 1))));
  }

  get #stepMs(): number {
    return 1000 / (PER_SEC * this.#templates.length);
  }

  /** Makes packets that nobody gets, so that the program is compiled before any is due. */
  warmUp(): void {
    for (let tick = 0; tick < WARM_UP_TICKS; tick++) this.#packetsOf(0, TICK_MS);
    this.#sent = 0;
  }

  /** Logs until a time; returns how many messages that were. */
  async log(begin: number, end: number): Promise<number> {
    // What is due in the same moment goes in one write, as an SDK gathers it.
    for (let due = begin; due < end;) {
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
      const until = Math.min(performance.now(), end);
      const { bytes, next } = this.#packetsOf(due, until);
      due = next;
      if (bytes.length > 0) await send(this.#socket, bytes);
    }
    this.#socket.end();
    return this.#sent;
  }

  #packetsOf(due: number, until: number): { bytes: Uint8Array; next: number } {
    const stepMs = this.#stepMs;
    const packets = new Packets(Math.ceil((until - due) / stepMs) + 1);
    const [date, now] = [Date.now(), performance.now()];
    let next = due;
    for (; next < until; next += stepMs) {
      const template = this.#templates[this.#sent++ % this.#templates.length]!;
      packets.add(template.at(date - (now - next)));
    }
    return { bytes: packets.bytes, next };
  }
}

/** The robots of all boxes: one connection to each program, which wait for none of the others. */
async function robots(): Promise<void> {
  const [count = 1, seconds = 10, ...ports] = args.map(Number);
  const connections = await Promise.all(
    ports.map((port, i) => Connection.open(port, i * count, count)),
  );
  for (const connection of connections) connection.warmUp();
  const atStart = process.cpuUsage();
  const begin = performance.now();
  const end = begin + seconds * 1000;
  const sent = await Promise.all(connections.map((connection) => connection.log(begin, end)));
  const { user, system } = process.cpuUsage(atStart);
  const lateMs = performance.now() - end;
  const total = sent.reduce((sum, messages) => sum + messages, 0);
  console.log(JSON.stringify({ sent: total, lateMs, cpuSec: (user + system) / 1e6 }));
}

/** How long a middle waits for its first message, and then for a next one. */
const FIRST_MS = 60_000;
const NEXT_MS = 4000;

/** Calls once when nothing comes any more, or nothing has come at all; returns what it is told by. */
function untilQuiet(stop: () => unknown) {
  const since = performance.now();
  const firstMs = args[1] === undefined ? FIRST_MS : Number(args[1]) * 1000;
  let [first, last] = [0, 0];
  const timer = setInterval(() => {
    const now = performance.now();
    if (first > 0 ? now - last <= NEXT_MS : now - since <= firstMs) return;
    clearInterval(timer);
    stop();
  }, 200);
  return {
    /** To be called when something comes; returns for how long something has come. */
    came(): number {
      last = performance.now();
      first ||= last;
      return last - first;
    },
    /** Ends the program with an error if nothing has come. */
    check(): void {
      if (first > 0) return;
      console.error(`${role}: nothing has come for ${firstMs / 1000} s: does any robot log?`);
      process.exit(1);
    },
  };
}

async function middle(): Promise<void> {
  const server = await Server.listen(memoryTcp(), { log: silentLog, reuseBuffers: true });
  const feed = fromNats({ url: args[0]! });
  server.join(feed);
  const lags = new Lags();
  const quiet = untilQuiet(() => void server.close());
  for await (const batch of server.batches()) {
    const forMs = quiet.came();
    const now = Date.now();
    for (const { payload } of batch) {
      if (payload.type !== "msg" || payload.msg.kind !== "ArrowMsg") continue;
      const sentMs = Number(payload.msg.chunkId!.timeNs / 1_000_000n);
      lags.add(now - sentMs, forMs);
    }
    feed.received(batch);
  }
  quiet.check();
  lags.report();
}

/** Each of these many milliseconds is reported by itself, too. */
const WINDOW_MS = 5000;

/** How old messages were when they came. */
class Lags {
  readonly #all: number[] = [];
  readonly #windows: number[][] = [];

  /**
   * @param lagMs how old a message was
   * @param forMs for how long messages have come
   */
  add(lagMs: number, forMs: number): void {
    if (forMs > WARM_UP_MS) this.#all.push(lagMs);
    (this.#windows[Math.floor(forMs / WINDOW_MS)] ??= []).push(lagMs);
  }

  report(): void {
    const [all, ...windows] = [this.#all, ...this.#windows].map((lags = []) =>
      lags.sort((a, b) => a - b)
    );
    const at = (share: number, lags = all!) =>
      Math.round(lags[Math.floor(share * (lags.length - 1))] ?? 0);
    console.log(JSON.stringify({
      ...{ messages: all!.length, p50: at(0.5), p99: at(0.99), max: at(1) },
      p99Each5Sec: windows.map((lags) => at(0.99, lags)),
    }));
  }
}

/** What a box sends in as long as it gathers. */
const PER_BATCH = 4;

/** The same publishes with nothing but the client: no robots, no files, no cursors. */
async function bareBox(): Promise<void> {
  const [first = 0, count = 1, seconds = 10] = args.slice(0, 3).map(Number);
  const nats = await connectNats({ url: args[3]!, clientName: "bench" });
  await ensureStream(nats.manager, { replicas: 1, log: silentLog });
  const { length } = new Robot("r").scalar("/a", 1, 1);
  const begin = performance.now();
  const end = begin + seconds * 1000;
  const stepMs = PER_BATCH * 1000 / PER_SEC / count;
  const underWay: Promise<unknown>[] = [];
  let sent = 0;
  for (let due = begin; due < end;) {
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    for (const now = performance.now(); due < Math.min(now, end); due += stepMs) {
      // When the newest of its messages was made; the others are older by what lies between them.
      const payload = new Uint8Array(PER_BATCH * length);
      new DataView(payload.buffer).setFloat64(0, Date.now() - (now - due));
      const publish = nats.client.publish(`rerelay.b.a.r${first + sent % count}`, payload, {
        msgID: `${first}.${sent}`,
        headers: nats.headers([["Rerelay-Box", "b"], ["Rerelay-Numbers", "1-4"]]),
        timeout: 60_000,
      });
      underWay.push(publish);
      sent++;
    }
  }
  await Promise.all(underWay);
  console.log(JSON.stringify({ sent: sent * PER_BATCH, lateMs: performance.now() - end }));
}

async function bareMiddle(): Promise<void> {
  const nats = await connectNats({ url: args[0]!, clientName: "bench" });
  await ensureStream(nats.manager, { replicas: 1, log: silentLog });
  const consumer = await nats.client.consumers.get(STREAM);
  const messages = await consumer.consume({ max_bytes: 8 * 1024 * 1024 });
  const lags = new Lags();
  const quiet = untilQuiet(() => void messages.stop());
  for await (const { data } of messages) {
    const forMs = quiet.came();
    const madeMs = new DataView(data.buffer, data.byteOffset).getFloat64(0);
    for (let i = 0; i < PER_BATCH; i++) lags.add(Date.now() - madeMs + i * 1000 / PER_SEC, forMs);
  }
  quiet.check();
  lags.report();
}

const roles: Readonly<Record<string, () => Promise<void>>> = {
  robots,
  middle,
  "bare-box": bareBox,
  "bare-middle": bareMiddle,
};
await roles[role!]!();
process.exit(0);
