/**
 * What it takes to read the data of each message: `chunk()`, and `table()` for comparison.
 *
 * `deno run -A tests/bench/chunks.ts`, or with `bun`; `--rounds N` of each, the best counts. With
 * `--peer PROGRAM` Rerun's own server of 0.22.1 (see `peer/`), which decodes everything, takes the small
 * messages by TCP in the same run.
 */
import { access, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { chunk, RrdDecoder } from "../../lib/encoding/mod.ts";
import type { ArrowMsg } from "../../lib/encoding/arrow_msg.ts";
import { detectRuntime } from "../../lib/adapters/runtime.ts";
import { capturePackets } from "../fixtures.ts";
import { imageMessages, pointMessages } from "./chunk_packets.ts";
import { measure } from "./receive_runs.ts";
import { makeStream } from "./streams.ts";

/** Messages of one kind. */
interface Workload {
  readonly name: string;
  readonly messages: readonly ArrowMsg[];
  readonly bytes: number;
}

/** A way of reading a message; gives something that depends on what was read. */
interface Way {
  readonly name: string;
  read(msg: ArrowMsg): number | Promise<number>;
}

function decoded(name: string, packets: readonly Uint8Array[]): Workload {
  const decoder = new RrdDecoder();
  const messages = packets.flatMap((packet) => decoder.decodePacket(packet).items)
    .filter((msg): msg is ArrowMsg => msg.kind === "ArrowMsg");
  return { name, messages, bytes: packets.reduce((sum, { length }) => sum + length, 0) };
}

function made(name: string, messages: readonly ArrowMsg[]): Workload {
  return {
    name,
    messages,
    bytes: messages.reduce((sum, { arrow }) => sum + arrow.bytes.length, 0),
  };
}

/** All messages of 2.4 to 2.8 KB of a real recording, again and again, each in a packet of its own. */
function small(): Uint8Array[] {
  const scalars = capturePackets("0.22.1-mixed")
    .filter(({ length }) => length > 2400 && length < 2800);
  return Array.from({ length: 4000 }, (_, i) => scalars[i % scalars.length]!.slice());
}

function sum(value: unknown): number {
  if (value === undefined) return 0;
  const first = (value as ArrayLike<unknown>)[0];
  return typeof first === "number" ? first : (value as ArrayLike<unknown>).length;
}

const WAYS: readonly Way[] = [
  { name: "the entity's path", read: (msg) => msg.entityPath!.length },
  {
    name: "one column",
    read: (msg) => {
      const one = chunk(msg);
      return sum(one.components[0]?.at(0)) + one.rowCount;
    },
  },
  {
    name: "all columns",
    read: (msg) => {
      const { rowCount, rowIds, timelines, components } = chunk(msg);
      let seen = rowIds.length;
      for (const { times } of timelines) seen += Number(times[0]);
      for (const each of components) {
        for (let row = 0; row < rowCount; row++) seen += sum(each.at(row));
      }
      return seen;
    },
  },
  { name: "table()", read: async (msg) => (await msg.table()).numRows },
];

async function bestMs(rounds: number, workload: Workload, way: Way): Promise<number> {
  let best = Infinity;
  for (let round = 0; round < rounds; round++) {
    let seen = 0;
    const began = performance.now();
    for (const msg of workload.messages) {
      const read = way.read(msg);
      seen += typeof read === "number" ? read : await read;
    }
    best = Math.min(best, performance.now() - began);
    if (Number.isNaN(seen)) throw new Error(`${way.name}: nothing was read`);
  }
  return best;
}

function given(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
}

/** As many small messages as take the peer a second, about. */
const PEER_MESSAGES = 60_000;

/** How fast Rerun's own server takes and decodes small messages. */
async function peerSpeed(peer: string | undefined, rounds: number): Promise<void> {
  if (peer === undefined) {
    return console.log("without Rerun's own server: --peer PROGRAM says where it is");
  }
  await access(peer);
  const folder = await mkdtemp(join(tmpdir(), "chunks-"));
  try {
    const stream = makeStream("small", folder, PEER_MESSAGES);
    let best = Infinity;
    for (let round = 0; round < rounds; round++) {
      const subject = { runtime: "peer", what: "server", clients: 1 } as const;
      const { sec } = await measure(subject, stream, { peer, file: join(folder, "a.rrd") });
      best = Math.min(best, sec);
    }
    const us = (best * 1e6 / stream.messages).toFixed(2);
    const speed = Math.round(stream.bytes / 1e6 / best).toLocaleString("en");
    console.log(`small, 2.7 KB: Rerun's own server: ${us} µs a message, ${speed} MB/s`);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const rounds = Number(given("rounds") ?? 7);
console.log(`${detectRuntime()}, best of ${rounds}`);
for (
  const workload of [
    decoded("small, 2.7 KB", small()),
    made("images, 0.9 MB", imageMessages(24)),
    made("points, 1.2 MB", pointMessages(24)),
  ]
) {
  for (const way of WAYS) {
    const ms = await bestMs(rounds, workload, way);
    const { bytes, messages, name } = workload;
    const us = (ms * 1000 / messages.length).toFixed(2);
    const speed = Math.round(bytes / 1e3 / ms).toLocaleString("en");
    console.log(`${name}: ${way.name}: ${us} µs a message, ${speed} MB/s`);
  }
}
await peerSpeed(given("peer"), Math.min(rounds, 3));
