/** Valid streams, recorded and made up, cut anywhere: by fast-check. */
import fc from "fast-check";
import { PacketReader } from "../../lib/comms/sdk/packet_reader.ts";
import { PacketDecoder } from "../../lib/encoding/rrd/packet_decoder.ts";
import { RrdDecoder } from "../../lib/encoding/rrd/rrd_decoder.ts";
import type { LogMsg } from "../../lib/encoding/log_msg.ts";
import { concat, framed, HELLO } from "../encoding/rrd_builder.ts";
import { CAPTURES, fixture } from "../fixtures.ts";
import { CORPUS } from "./corpus.ts";
import { isSameMsg } from "./same_msg.ts";

const ENCODINGS = ["msgpack-off", "msgpack-lz4", "protobuf-off", "protobuf-lz4"];

/** Bytes, and whether they are a connection's or a file's. */
export interface ValidStream {
  readonly name: string;
  readonly kind: "connection" | "file";
  readonly bytes: Uint8Array;
}

/** Recorded ones. */
export const RECORDED: readonly ValidStream[] = [
  ...CAPTURES.map((name) => recorded(name, "connection", `captures/${name}.bin`)),
  ...ENCODINGS.map((name) => recorded(name, "file", `encodings/0.22.1-mixed-${name}.rrd`)),
];

function recorded(name: string, kind: ValidStream["kind"], path: string): ValidStream {
  return { name, kind, bytes: fixture(path) };
}

/** Larger ones only take time. */
const SMALL = CORPUS.filter((packet) => packet.length < 20_000);
/** Before SDK 0.16, and since. */
const HELLOS = [new Uint8Array(2), HELLO];

const packets = fc.array(fc.nat(SMALL.length - 1), { maxLength: 8 })
  .map((indices) => indices.map((index) => SMALL[index]!));
const connection = fc.record({ hello: fc.constantFrom(...HELLOS), packets, joined: fc.boolean() })
  .map(({ hello, packets, joined }): ValidStream => {
    // A packet may hold several streams.
    const all = joined && packets.length > 0 ? [concat(...packets)] : packets;
    const bytes = concat(hello, ...all.map(framed));
    return { name: `${all.length} packets`, kind: "connection", bytes };
  });
const file = packets.map((all): ValidStream => ({
  name: `${all.length} streams in a row`,
  kind: "file",
  bytes: concat(...all),
}));

const part = fc.double({ min: 0, max: 1, noNaN: true });

/** A stream, where it is cut, and how much of it is there: parts of its length, in any order. */
const cutStream = fc.tuple(
  fc.oneof(
    { weight: 1, arbitrary: fc.constantFrom(...RECORDED) },
    { weight: 2, arbitrary: connection },
    { weight: 1, arbitrary: file },
  ),
  fc.array(part, { maxLength: 50 }),
  part,
);

/** Any split gives the same messages, and any split of a prefix a prefix of them. */
export const SPLITS_AND_PREFIXES = fc.property(cutStream, ([stream, cuts, length]) => {
  const { bytes, name } = stream;
  const whole = read(stream, [bytes]);
  const split = read(stream, pieces(bytes, cuts));
  if (!isPrefix(split, whole) || split.length !== whole.length) {
    throw new Error(`${name}: ${split.length} messages of a split, ${whole.length} of the whole`);
  }
  const some = read(stream, pieces(bytes.subarray(0, Math.floor(length * bytes.length)), cuts));
  if (!isPrefix(some, whole)) throw new Error(`${name}: a prefix gives other messages`);
});

function pieces(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const ends = [...cuts.map((part) => Math.floor(part * bytes.length)), bytes.length];
  ends.sort((a, b) => a - b);
  return ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
}

/** What the pieces decode to, up to the error that the end of a prefix is. */
export function read({ kind }: ValidStream, input: readonly Uint8Array[]): LogMsg[] {
  if (kind === "file") {
    const decoder = new RrdDecoder();
    return input.flatMap((piece) => decoder.push(piece).items);
  }
  const reader = new PacketReader();
  const decoder = new PacketDecoder({ onPacket: () => {} });
  return input.flatMap((piece) =>
    reader.push(piece).items.flatMap((packet) => {
      const { items, error } = decoder.push([packet]);
      if (error !== undefined) throw error;
      return items;
    })
  );
}

function isPrefix(some: readonly LogMsg[], whole: readonly LogMsg[]): boolean {
  return some.length <= whole.length && some.every((msg, i) => isSameMsg(msg, whole[i]!));
}
