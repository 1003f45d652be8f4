import fc from "fast-check";
import process from "node:process";
import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { PacketReader } from "../../lib/comms/packet_reader.ts";
import { RrdDecoder } from "../../lib/encoding/rrd_decoder.ts";
import type { LogMsg } from "../../lib/log_msg.ts";
import type { Step } from "../../lib/step.ts";
import { CAPTURES, fixture } from "../fixtures.ts";

/** How many cases; the long form is set by an environment variable. */
const RUNS = Number(process.env["RERELAY_FUZZ_RUNS"] ?? 300);
const ENCODINGS = ["msgpack-off", "msgpack-lz4", "protobuf-off", "protobuf-lz4"];

/** Where a stream is cut: parts of its length, in any order. */
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 50 });

function pieces(bytes: Uint8Array, at: number[]): Uint8Array[] {
  const ends = [...at.map((part) => Math.floor(part * bytes.length)), bytes.length];
  ends.sort((a, b) => a - b);
  return ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
}

/** What a step makes of the pieces, up to its error. */
function run<O>(step: Step<Uint8Array, O>, input: Uint8Array[]): O[] {
  return [...input.flatMap((piece) => step.push(piece).items), ...step.finish().items];
}

const bytesOf = (msgs: LogMsg[]) => msgs.map(({ encoded }) => encoded.bytes);

const streams = [
  ...CAPTURES.map((name) => ({
    name: `capture ${name}`,
    bytes: fixture(`captures/${name}.bin`),
    read: (input: Uint8Array[]) => run(new PacketReader(), input),
  })),
  ...ENCODINGS.map((name) => ({
    name: `file ${name}`,
    bytes: fixture(`encodings/0.22.1-mixed-${name}.rrd`),
    read: (input: Uint8Array[]) => bytesOf(run(new RrdDecoder(), input)),
  })),
];

describe("any split of any valid stream", () => {
  for (const { name, bytes, read } of streams) {
    const whole = read([bytes]);

    it(`${name}: gives the same`, () => {
      fc.assert(
        fc.property(cuts, (at) => assertEquals(read(pieces(bytes, at)), whole)),
        { numRuns: Math.ceil(RUNS / streams.length) },
      );
    });

    it(`${name}: of any prefix gives a prefix`, () => {
      const part = fc.double({ min: 0, max: 1, noNaN: true });
      fc.assert(
        fc.property(part, cuts, (length, at) => {
          const prefix = bytes.subarray(0, Math.floor(length * bytes.length));
          const some = read(pieces(prefix, at));
          assertEquals(some, whole.slice(0, some.length));
        }),
        { numRuns: Math.ceil(RUNS / streams.length) },
      );
    });
  }
});
