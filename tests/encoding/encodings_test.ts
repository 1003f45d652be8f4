import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { RrdDecoder } from "../../lib/encoding/rrd/rrd_decoder.ts";
import { rrdVersionText } from "../../lib/encoding/rrd_header.ts";
import type { LogMsg } from "../../lib/encoding/log_msg.ts";
import type { StoreSource } from "../../lib/encoding/message_parts.ts";
import { capturePackets, expectedCapture, fixture, fixtureText } from "../fixtures.ts";
import { randomPieces, seeded } from "../random.ts";

const ENCODINGS = ["msgpack-off", "msgpack-lz4", "protobuf-off", "protobuf-lz4"];

function decode(pieces: Iterable<Uint8Array>): LogMsg[] {
  const decoder = new RrdDecoder();
  const messages = [];
  for (const piece of pieces) {
    const { items, error } = decoder.push(piece);
    if (error) throw error;
    messages.push(...items);
  }
  const { items, error } = decoder.finish();
  if (error) throw error;
  return [...messages, ...items];
}

function sourceText(source: StoreSource): string {
  if (source.kind !== "PythonSdk") return source.kind;
  return `PythonSdk(${source.major}.${source.minor}.${source.patch}${source.suffix})`;
}

/** In the form of the expected lines; what only the Arrow data tells is read by apache-arrow. */
async function describeMsg(msg: LogMsg, hasTimepoint: boolean): Promise<Record<string, unknown>> {
  if (msg.kind === "SetStoreInfo") {
    const { info } = msg;
    return {
      application_id: info.applicationId,
      is_official_example: info.isOfficialExample,
      row_id: msg.rowId.toString(),
      started_ns: String(info.started),
      store_id: info.storeId.id,
      store_kind: info.storeId.kind,
      store_source: sourceText(info.storeSource),
      store_version: info.storeVersion && rrdVersionText(info.storeVersion),
      type: msg.kind,
    };
  }
  if (msg.kind !== "ArrowMsg") throw new Error(`a ${msg.kind} is not in these files`);
  const table = await msg.table();
  return {
    ...(hasTimepoint && {
      chunk_id: msg.chunkId?.toString(),
      timepoint_max: Object.fromEntries(
        msg.timepointMax!.map(({ name, type, time }) => [
          name,
          { type: type === "time" ? "Time" : "Sequence", value: String(time) },
        ]),
      ),
    }),
    columns: table.schema.fields.map(({ name }) => name),
    metadata: Object.fromEntries(table.schema.metadata),
    rows: table.numRows,
    store_id: msg.storeId.id,
    store_kind: msg.storeId.kind,
    type: msg.kind,
  };
}

/** The lines of the real decoder's reading; it looks into the Arrow data where the envelope is silent. */
function expected(encoding: string): Record<string, unknown>[] {
  const lines = fixtureText(`encodings/0.22.1-mixed-${encoding}.expected.jsonl`).trim().split("\n");
  return lines.map((line) => {
    const msg = JSON.parse(line);
    if (encoding.startsWith("protobuf")) {
      delete msg.chunk_id;
      delete msg.timepoint_max;
    }
    return msg;
  });
}

describe("the four RRD encodings, as the real encoder writes them", () => {
  for (const encoding of ENCODINGS) {
    const bytes = fixture(`encodings/0.22.1-mixed-${encoding}.rrd`);

    it(`${encoding}, fed whole`, async () => {
      const messages = decode([bytes]);
      const actual = await Promise.all(
        messages.map((msg) => describeMsg(msg, encoding.startsWith("msgpack"))),
      );
      assertEquals(actual, expected(encoding));
    });

    it(`${encoding}: in any pieces the same messages with the same bytes`, () => {
      const whole = decode([bytes]);
      assertEquals(decode(Array.from(bytes, (byte) => Uint8Array.of(byte))), whole);
      for (let seed = 1; seed <= 20; seed++) {
        assertEquals(decode(randomPieces(bytes, seeded(seed))), whole, `seed ${seed}`);
      }
    });

    it(`${encoding}: header, encoded bytes and end marker make up the file`, () => {
      const parts = [bytes.subarray(0, 12), ...decode([bytes]).map(({ encoded }) => encoded.bytes)];
      const length = parts.reduce((sum, part) => sum + part.length, 0);
      assertEquals(new Uint8Array(Buffer.concat(parts)), bytes.slice(0, length));
      assertEquals(bytes.slice(length), new Uint8Array(encoding.startsWith("msgpack") ? 8 : 16));
    });
  }

  it("Arrow data is read wherever in a read it lies", async () => {
    for (const name of ["0.20.3-mixed", "0.22.1-blueprint"]) {
      for (const packet of capturePackets(name)) {
        for (let offset = 0; offset < 8; offset++) {
          const read = new Uint8Array(offset + packet.length);
          read.set(packet, offset);
          for (const msg of new RrdDecoder().decodePacket(read.subarray(offset)).items) {
            if (msg.kind === "ArrowMsg") await msg.table();
          }
        }
      }
    }
  });

  it("what a capture's Arrow data holds: rows, columns and metadata", async () => {
    for (const name of ["0.9.1-scalars", "0.16.1-mixed", "0.17.0-mixed", "0.22.1-blueprint"]) {
      const expected = expectedCapture(name).packets.flatMap(({ messages }) => messages);
      const actual = capturePackets(name).flatMap((packet) =>
        new RrdDecoder().decodePacket(packet).items
      );
      for (const [i, msg] of actual.entries()) {
        if (msg.kind !== "ArrowMsg") continue;
        const table = await msg.table();
        const { rows, columns, metadata } = expected[i]!;
        assertEquals(
          {
            rows: table.numRows,
            columns: table.schema.fields.map(({ name }) => name),
            metadata: Object.fromEntries(table.schema.metadata),
          },
          { rows, columns, metadata } as never,
          `${name}, message ${i}`,
        );
      }
    }
  });
});
