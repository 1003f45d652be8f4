/** Streams as SDKs send them, of any size, made from the packets of a real one. */
import { Buffer } from "node:buffer";
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { cutConnection } from "../conformance/cutter.ts";
import { capturePackets, fixture } from "../fixtures.ts";
import { seeded } from "../random.ts";

/** A stream in a file. */
export interface Stream {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  /** Log messages in it; each packet has one. */
  readonly messages: number;
}

const CAPTURE = "0.22.1-mixed";
const HANDSHAKE_BYTES = 7;
const RRD_HEADER_BYTES = 12;
const MESSAGE_HEADER_BYTES = 8;

/** Sizes of the lab's recorded streams: 100,000 scalars (505 MB), 300 images of 640x480, 200 clouds of points. */
const SIZES = {
  small: { packets: 186_000 },
  images: { packets: 300, arrowBytes: 924_000 },
  points: { packets: 200, arrowBytes: 1_203_000 },
};

/** Names of the streams that can be made. */
export const STREAM_NAMES = Object.keys(SIZES) as (keyof typeof SIZES)[];

/**
 * Writes a stream into a folder.
 *
 * @param name of the stream
 * @param folder where it goes
 * @param packets how many of its packets it has
 */
export function makeStream(
  name: keyof typeof SIZES,
  folder: string,
  packets = SIZES[name].packets,
): Stream {
  const all = capturePackets(CAPTURE);
  const storeInfos = all.slice(0, 2);
  const size = SIZES[name];
  const bodies = "arrowBytes" in size
    ? [0, 1, 2, 3].map((seed) => withArrow(all[4]!, size.arrowBytes, seed))
    : all.filter((packet) => packet.length > 2400 && packet.length < 2800);
  const path = join(folder, `${name}.bin`);
  const file = openSync(path, "w");
  const start = [fixture(`captures/${CAPTURE}.bin`).subarray(0, HANDSHAKE_BYTES)];
  let bytes = writeSync(file, Buffer.concat([...start, ...storeInfos.map(framed)]));
  const round = bodies.map(framed);
  for (let left = packets; left > 0; left -= round.length) {
    bytes += writeSync(file, Buffer.concat(round.slice(0, left)));
  }
  closeSync(file);
  return { name, path, bytes, messages: storeInfos.length + packets };
}

/** A recorded stream. */
export function recordedStream(name: string, path: string, bytes: Uint8Array): Stream {
  return { name, path, bytes: bytes.length, messages: cutConnection(bytes).messages.length };
}

function framed(packet: Uint8Array): Uint8Array {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(packet.length);
  return Buffer.concat([length, packet]);
}

/** The same message with other Arrow data; it comes last in a message, as a msgpack `bin 16`. */
export function withArrow(packet: Uint8Array, arrowBytes: number, seed: number): Uint8Array {
  const buffer = Buffer.from(packet);
  let at = RRD_HEADER_BYTES + MESSAGE_HEADER_BYTES;
  while (buffer[at] !== 0xc5 || at + 3 + buffer.readUInt16BE(at + 1) !== buffer.length) at++;
  const random = seeded(seed);
  const words = Uint32Array.from({ length: arrowBytes / 4 }, () => random() * 2 ** 32);
  const bin32 = Buffer.alloc(5, 0xc6);
  bin32.writeUInt32BE(arrowBytes, 1);
  const payload = [buffer.subarray(RRD_HEADER_BYTES + MESSAGE_HEADER_BYTES, at), bin32];
  const message = Buffer.concat([...payload, Buffer.from(words.buffer)]);
  const lengths = Buffer.alloc(MESSAGE_HEADER_BYTES);
  lengths.writeUInt32LE(message.length, 0);
  lengths.writeUInt32LE(message.length, 4);
  return Buffer.concat([buffer.subarray(0, RRD_HEADER_BYTES), lengths, message]);
}
