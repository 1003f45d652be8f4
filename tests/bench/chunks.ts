/**
 * What it takes to read the data of each message: `chunk()`, and `table()` for comparison.
 *
 * `deno run -A tests/bench/chunks.ts`, or with `bun`; `--rounds N` of each, the best counts. What a whole
 * server does so, beside Rerun's own, is the group `data` of `npm run bench`.
 */
import process from "node:process";
import { RrdDecoder } from "../../lib/encoding/mod.ts";
import type { ArrowMsg } from "../../lib/encoding/arrow_msg.ts";
import { detectRuntime } from "../../lib/adapters/runtime.ts";
import { capturePackets } from "../fixtures.ts";
import { imageMessages, pointMessages } from "./chunk_packets.ts";
import { readAllColumns, readOneColumn } from "./read_columns.ts";

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

const WAYS: readonly Way[] = [
  { name: "the entity's path", read: (msg) => msg.entityPath!.length },
  { name: "one column", read: readOneColumn },
  { name: "all columns", read: readAllColumns },
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
