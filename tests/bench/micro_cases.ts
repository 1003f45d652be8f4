/** Single steps of receiving, over bytes in memory. */
import { decode } from "@msgpack/msgpack";
import { BRIDGED_HEADER } from "../../lib/bridge/bridge.ts";
import { Bridge } from "../../lib/bridge/mod.ts";
import { FooterBuilder } from "../../lib/chunk_index/footer_builder.ts";
import { PacketFramer } from "../../lib/comms/sdk/packet_framer.ts";
import { MAX_PACKET_BYTES } from "../../lib/comms/sdk/packet_reader.ts";
import { viewerFrame } from "../../lib/encoding/bincode/bincode_log_msg.ts";
import { decodeMsgpackLogMsg } from "../../lib/encoding/msgpack/msgpack_log_msg.ts";
import { RrdDecoder } from "../../lib/encoding/rrd/rrd_decoder.ts";
import { decodeRrdHeader } from "../../lib/encoding/rrd_header.ts";
import { CongestionManager } from "../../lib/flow/throttle/congestion_manager.ts";
import { Throttle } from "../../lib/flow/throttle/throttle.ts";
import type { LogMsg } from "../../lib/encoding/log_msg.ts";
import { chunk, chunkOf } from "../bridge/chunks.ts";
import { chunkMessage } from "../chunk_index/chunks.ts";
import { concat, framed } from "../encoding/rrd_builder.ts";
import { capturePackets, fixture } from "../fixtures.ts";
import { frameChunk } from "../flow/throttled_messages.ts";
import { seeded } from "../random.ts";
import { withArrow } from "./streams.ts";

/** One step. */
export interface Case {
  readonly name: string;
  /** What `run` works off, as received. */
  readonly bytes: number;
  run(): void;
}

const READ_BYTES = 256 * 1024;
const HEADER_BYTES = 12;
const START = HEADER_BYTES + 8;

const capture = capturePackets("0.22.1-mixed");
const scalars = capture.filter(({ length }) => length > 2400 && length < 2800);
const SMALL = Array.from({ length: 4000 }, (_, i) => scalars[i % scalars.length]!);
const LARGE = [0, 1, 2, 3].map((seed) => new Uint8Array(withArrow(capture[4]!, 924_000, seed)));
const PROTOBUF = fixture("encodings/0.22.1-mixed-protobuf-off.rrd");

function total(all: readonly { readonly length: number }[]): number {
  return all.reduce((sum, { length }) => sum + length, 0);
}

function reads(packets: readonly Uint8Array[]): Uint8Array[] {
  const stream = concat(...packets.map(framed));
  const count = Math.ceil(stream.length / READ_BYTES);
  return Array.from(
    { length: count },
    (_, i) => stream.subarray(i * READ_BYTES, (i + 1) * READ_BYTES),
  );
}

function check(count: number, expected: number): void {
  if (count !== expected) throw new Error(`${count} instead of ${expected}`);
}

function framing(name: string, packets: readonly Uint8Array[]): Case {
  const chunks = reads(packets);
  const framer = new PacketFramer(MAX_PACKET_BYTES);
  return {
    name,
    bytes: total(chunks),
    run() {
      let count = 0;
      for (const chunk of chunks) count += framer.push(chunk).items.length;
      check(count, packets.length);
    },
  };
}

function envelopes(): Case[] {
  const bytes = total(SMALL);
  const header = decodeRrdHeader(SMALL[0]!.subarray(0, HEADER_BYTES));
  const decoder = new RrdDecoder();
  const each = (run: (packet: Uint8Array) => unknown) => () => {
    for (const packet of SMALL) if (!run(packet)) throw new Error("not decoded");
  };
  return [
    {
      name: "msgpack envelopes, templates",
      bytes,
      run: each((packet) => decoder.decodePacket(packet).items.length),
    },
    {
      name: "msgpack envelopes, no templates",
      bytes,
      run: each((packet) => {
        const encoded = { header, bytes: packet.subarray(HEADER_BYTES) } as const;
        return decodeMsgpackLogMsg(packet, START, packet.length, encoded);
      }),
    },
    {
      name: "the same by @msgpack/msgpack",
      bytes,
      run: each((packet) =>
        decode(packet.subarray(START), { useBigInt64: true, mapKeyConverter: () => "" })
      ),
    },
    {
      name: "protobuf envelopes",
      bytes: PROTOBUF.length,
      run() {
        const { items, error } = new RrdDecoder().push(PROTOBUF);
        if (error !== undefined || items.length === 0) throw error ?? new Error("not decoded");
      },
    },
  ];
}

/** Today's form for what is decoded already, one after another as of one client. */
function bridging(name: string, messages: readonly LogMsg[]): Case {
  const bridge = new Bridge();
  return {
    name,
    bytes: messages.reduce((sum, msg) => sum + (msg.kind === "ArrowMsg" ? msg.ipc().length : 0), 0),
    run() {
      const before = bridge.counts.bridged;
      for (const [i, msg] of messages.entries()) {
        bridge.bridge(msg);
        // As behind each batch of a client.
        if (i % 100 === 99) bridge.release();
      }
      check(bridge.counts.bridged - before, messages.length);
    },
  };
}

/** What a chunk index keeps of these chunks. */
function indexing(name: string, messages: readonly Uint8Array[]): Case {
  return {
    name,
    bytes: total(messages),
    run() {
      const builder = new FooterBuilder(BRIDGED_HEADER);
      builder.add(1, whole(ANNOUNCEMENT), 0);
      for (const message of messages) builder.add(2, whole(message), 0);
    },
  };
}

function whole(message: Uint8Array) {
  const front = message.subarray(16);
  return { length: front.length, front };
}

/** Frames of 10 messages, in batches as of one read. */
function throttling(name: string, maxLatencySec: number, latencySec: number): Case {
  const messageBytes = 2500;
  const perRead = Math.floor(READ_BYTES / messageBytes);
  let [frame, now] = [0, 0];
  const congestion = new CongestionManager({
    maxLatencySec,
    now: () => now += 1,
    random: seeded(1),
    log: { enabled: () => false, write: () => {} },
  });
  const throttle = new Throttle(congestion, { latencySec, filled: 0.1 });
  return {
    name,
    bytes: perRead * messageBytes,
    run() {
      const batch: LogMsg[] = [];
      for (let i = 0; i < perRead; i++) {
        batch.push(frameChunk(Math.floor(frame++ / 10), frame, { bytes: messageBytes }));
      }
      throttle.push(batch);
    },
  };
}

function viewerFrames(name: string, packets: readonly Uint8Array[]): Case {
  const msgs = packets.flatMap((packet) => new RrdDecoder().decodePacket(packet).items);
  return {
    name,
    bytes: total(packets),
    run() {
      for (const msg of msgs) if (typeof viewerFrame(msg) === "string") throw new Error("left out");
    },
  };
}

const decoder = new RrdDecoder();
const SMALL_CHUNKS = SMALL.flatMap((packet) => decoder.decodePacket(packet).items);
const IMAGES = Array.from({ length: 8 }, (_, id) => {
  const columns = ["ImageBuffer", "ImageFormat", "ImageIndicator"];
  const schema = chunk(columns.map((name) => `rerun.components.${name}`), { id }).ipc();
  return chunkOf(concat(schema, new Uint8Array(921_600)));
});

const bridge = new Bridge();
const [ANNOUNCEMENT] = capture.slice(0, 1).flatMap((packet) =>
  new RrdDecoder().decodePacket(packet).items.map((msg) => bridge.bridge(msg).encoded.bytes)
) as [Uint8Array];
const SMALL_BRIDGED = SMALL_CHUNKS.map((msg) => bridge.bridge(msg).encoded.bytes);
const values = Array.from({ length: 115_200 }, (_, i) => i);
const PICTURES = [true, false].map((lz4) => {
  const picture = chunkMessage({ lz4, components: { "Image:buffer": [values] } });
  return Array.from({ length: 100 }, () => picture);
});

/** All steps. */
export const CASES: readonly Case[] = [
  framing("framer, 2.7 KB packets", SMALL),
  framing("framer, 0.9 MB packets", LARGE),
  ...envelopes(),
  throttling("throttle, no maximum", Infinity, 0),
  throttling("throttle, latency half of it", 0.2, 0.1),
  throttling("throttle, latency twice of it", 0.2, 0.4),
  viewerFrames("bincode encoder, 2.7 KB messages", SMALL),
  viewerFrames("bincode encoder, 0.9 MB messages", LARGE),
  bridging("bridge, 2.7 KB messages", SMALL_CHUNKS),
  bridging("bridge, 0.9 MB messages", IMAGES),
  indexing("chunk index, 4,000 of 2.7 KB", SMALL_BRIDGED),
  indexing("chunk index, 100 of 0.9 MB", PICTURES[1]!),
  indexing("chunk index, 100 of 0.9 MB in LZ4", PICTURES[0]!),
];
