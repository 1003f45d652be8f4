/**
 * How long the same bytes take to decode where no socket and no sender is in between: Rerun's own
 * decoder, which decodes everything, beside envelopes and `chunk()` of each message, in turn.
 *
 *     deno run -A tests/bench/in_memory.ts [--only small,images,points] [--rounds 7] [--streams FOLDER]
 *       [--peer PROGRAM]
 *
 * or with `bun`. Large packets lie as a server puts them, so that their data begins at a multiple of 8.
 */
import { readFile } from "node:fs/promises";
import process from "node:process";
import { parseArgs } from "@std/cli";
import { detectRuntime } from "../../lib/adapters/runtime.ts";
import type { ArrowMsg } from "../../lib/encoding/arrow_msg.ts";
import { PacketDecoder } from "../../lib/encoding/rrd/packet_decoder.ts";
import { leadFor } from "../../lib/memory/assembler.ts";
import { type Child, startProgram } from "../contract/child.ts";
import { median } from "./figures.ts";
import { readAllColumns, readOneColumn } from "./read_columns.ts";
import { recording, type Workload, WORKLOADS } from "./recordings.ts";
import { findPeer } from "./rust_peer.ts";
import type { Stream } from "./streams.ts";

/** Passes before the first that counts. */
const WARM_UPS = 3;
/** Packets from here on are put together in a buffer of their own. */
const LARGE_BYTES = 64 * 1024;
const HANDSHAKE_BYTES = 7;

/** Decodes all packets once; gives seconds. */
type Pass = () => Promise<number>;

function packetsOf(stream: Uint8Array): Uint8Array[] {
  const view = new DataView(stream.buffer, stream.byteOffset, stream.length);
  const packets: Uint8Array[] = [];
  const decoder = new PacketDecoder();
  for (let at = HANDSHAKE_BYTES; at < stream.length;) {
    const packet = stream.subarray(at + 4, at += 4 + view.getUint32(at, true));
    const msg = decoder.push([packet]).items[0];
    const isLarge = packet.length >= LARGE_BYTES && msg?.kind === "ArrowMsg";
    packets.push(isLarge ? aligned(packet, msg.arrow.bytes) : packet);
  }
  return packets;
}

function aligned(packet: Uint8Array, data: Uint8Array): Uint8Array {
  const lead = leadFor(data.byteOffset - packet.byteOffset);
  const whole = new Uint8Array(lead + packet.length);
  whole.set(packet, lead);
  return whole.subarray(lead);
}

function own(packets: readonly Uint8Array[], read: (msg: ArrowMsg) => number): Pass {
  return () => {
    const decoder = new PacketDecoder();
    const began = performance.now();
    let seen = 0;
    for (const packet of packets) {
      for (const msg of decoder.push([packet]).items) {
        if (msg.kind === "ArrowMsg") seen += read(msg);
      }
    }
    const sec = (performance.now() - began) / 1000;
    return Number.isNaN(seen)
      ? Promise.reject(new Error("Nothing was read"))
      : Promise.resolve(sec);
  };
}

function rerun(program: Child, messages: number): Pass {
  return async () => {
    program.tell("again");
    const { count, sec } = await program.next<{ count: number; sec: number }>();
    if (count !== messages) throw new Error(`${count} of ${messages} were decoded`);
    return sec;
  };
}

async function compare(stream: Stream, peer: string | undefined, rounds: number): Promise<void> {
  const packets = packetsOf(await readFile(stream.path));
  const program = peer === undefined ? undefined : startProgram([peer, stream.path, "decode"]);
  const ways: (readonly [string, Pass])[] = [
    ["the entity's path", own(packets, (msg) => msg.entityPath!.length)],
    ["one column", own(packets, readOneColumn)],
    ["all columns", own(packets, readAllColumns)],
    ...program === undefined ? [] : [["Rerun's", rerun(program, stream.messages)] as const],
  ];
  const secs = new Map(ways.map(([name]) => [name, [] as number[]]));
  for (let round = -WARM_UPS; round < rounds; round++) {
    for (const [name, pass] of ways) {
      const sec = await pass();
      if (round >= 0) secs.get(name)!.push(sec);
    }
  }
  await program?.stop();
  const perMessage = (sec: number) => (sec * 1e6 / stream.messages).toFixed(2);
  for (const [name, each] of secs) {
    const ratio = median(secs.get("Rerun's") ?? []) / median(each);
    console.log(
      `${stream.name}, ${name}: ${perMessage(median(each))} µs a message ` +
        `(${perMessage(Math.min(...each))}–${perMessage(Math.max(...each))}), ${ratio.toFixed(1)}×`,
    );
  }
}

const args = parseArgs(process.argv.slice(2), { string: ["only", "rounds", "streams", "peer"] });
const given = (name: string) => args[name] as string | undefined;
const names = (given("only")?.split(",") ?? Object.keys(WORKLOADS)) as Workload[];
const rounds = Number(given("rounds") ?? 7);
const peer = await findPeer(given("peer"));
console.log(`${detectRuntime()}, median of ${rounds} (lowest to highest)`);
for (const name of names) await compare(await recording(name, given("streams")), peer, rounds);
process.exit();
