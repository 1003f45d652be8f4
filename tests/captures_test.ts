import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { PacketReader } from "../lib/comms/sdk/packet_reader.ts";
import { RrdDecoder } from "../lib/encoding/rrd/rrd_decoder.ts";
import type { LogMsg } from "../lib/encoding/log_msg.ts";
import { CAPTURES, describeMsg, expectedCapture, fixture } from "./fixtures.ts";
import { randomPieces, seeded } from "./random.ts";

/** What the pieces decode to, in the form of the expected file. */
function decode(pieces: Iterable<Uint8Array>) {
  let protocol_version = -1;
  const reader = new PacketReader({ onHandshake: (version) => protocol_version = version });
  const decoder = new RrdDecoder();
  const packets = [];
  for (const piece of pieces) {
    const { items, error } = reader.push(piece);
    if (error) throw error;
    for (const packet of items) {
      const decoded = decoder.decodePacket(packet);
      if (decoded.error) throw decoded.error;
      packets.push({ bytes: packet.length, messages: decoded.items });
    }
  }
  assertEquals(reader.finish(), { items: [] });
  return { protocol_version, packets };
}

function version(msg: LogMsg): number[] {
  const { major, minor, patch } = msg.encoded.header.version;
  return [major, minor, patch];
}

function check(name: string, pieces: Iterable<Uint8Array>) {
  const expected = expectedCapture(name);
  const actual = decode(pieces);
  assertEquals(
    {
      protocol_version: actual.protocol_version,
      packets: actual.packets.map(({ bytes, messages }) => ({
        packet_bytes: bytes,
        rerun_version: version(messages[0]!),
        messages: messages.map(describeMsg),
      })),
    },
    {
      protocol_version: expected.protocol_version,
      packets: expected.packets.map(({ packet_bytes, rerun_version, messages }) => ({
        packet_bytes,
        rerun_version,
        // Rows, columns and metadata are inside the Arrow data; its hash stands for them.
        messages: messages.map(({ rows: _rows, columns: _columns, metadata: _metadata, ...msg }) =>
          msg
        ),
      })),
    },
  );
}

describe("captures of real SDKs", () => {
  for (const name of CAPTURES) {
    const bytes = fixture(`captures/${name}.bin`);
    it(`${name}, fed whole`, () => check(name, [bytes]));
    it(`${name}, byte by byte`, () => {
      check(name, Array.from(bytes, (byte) => Uint8Array.of(byte)));
    });
    for (const seed of [1, 2, 3, 4, 5]) {
      it(`${name}, at random splits, seed ${seed}`, () => {
        check(name, randomPieces(bytes, seeded(seed)));
      });
    }
  }
});
