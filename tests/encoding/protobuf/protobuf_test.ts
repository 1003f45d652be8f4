import { describe, it } from "node:test";
import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { decodeProtobufLogMsg } from "../../../lib/encoding/protobuf/protobuf_log_msg.ts";
import { RrdDecoder } from "../../../lib/encoding/rrd/rrd_decoder.ts";
import { decodeRrdHeader, rrdVersionText } from "../../../lib/encoding/rrd_header.ts";
import { DECODE_LIMITS } from "../../../lib/encoding/limits.ts";
import { InvalidMessage, MessageTooLarge } from "../../../lib/base/errors.ts";
import type { LogMsg } from "../../../lib/encoding/log_msg.ts";
import { fixture, fixtureJson, sha256 } from "../../fixtures.ts";
import { seeded } from "../../random.ts";
import { concat, rrdHeader } from "../rrd_builder.ts";

const HEADER = decodeRrdHeader(rrdHeader({ version: [0, 23, 4, 0], serializer: 2 }));

interface Expected {
  messages: Record<string, unknown>[];
}

/** One length-delimited field, cut out by hand. */
function field(bytes: Uint8Array): { number: number; value: Uint8Array } {
  let at = 1;
  let length = 0;
  for (let shift = 0;; shift += 7) {
    const byte = bytes[at++]!;
    length |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  return { number: bytes[0]! >> 3, value: bytes.subarray(at, at + length) };
}

/** The messages of a recorded WriteMessages call. */
function grpcMessages(version: string): LogMsg[] {
  const bytes = fixture(`grpc/${version}-mixed.frames.bin`);
  const messages = [];
  for (let at = 0; at < bytes.length;) {
    const length = new DataView(bytes.buffer).getUint32(at + 1);
    const frame = bytes.subarray(at + 5, at + 5 + length);
    const { number, value } = field(field(frame).value);
    const encoded = { header: HEADER, bytes: frame };
    messages.push(decodeProtobufLogMsg(number, value, "v1alpha1", encoded));
    at += 5 + length;
  }
  return messages;
}

function describeMsg(msg: LogMsg, expected: Record<string, unknown>): Record<string, unknown> {
  const keep = (all: Record<string, unknown>) =>
    Object.fromEntries(Object.keys(expected).map((key) => [key, all[key] ?? null]));
  const storeId = (id: { kind: string; id: string; applicationId?: string }) => ({
    kind: id.kind,
    id: id.id,
    ...(id.applicationId !== undefined && { application_id: id.applicationId }),
  });
  if (msg.kind === "SetStoreInfo") {
    const { storeId: id, applicationId } = msg.info;
    return keep({
      type: msg.kind,
      row_id: String(msg.rowId),
      store_id: storeId(id),
      // The decoder fills it in from the store id where the store info has none.
      application_id: expected["application_id"] === null ? null : applicationId,
    });
  }
  if (msg.kind !== "ArrowMsg") throw new Error(msg.kind);
  return keep({
    type: msg.kind,
    store_id: storeId(msg.storeId),
    chunk_id: msg.chunkId?.toString(),
    is_static: msg.isStatic === undefined ? null : Number(msg.isStatic),
    compression: msg.arrow.compression === "lz4" ? 2 : 1,
    uncompressed_size: expected["uncompressed_size"] && msg.arrow.uncompressedSize,
    encoding: 1,
    payload_bytes: msg.arrow.bytes.length,
    payload_sha256: sha256(msg.arrow.bytes),
  });
}

describe("protobuf log messages of newer SDKs", () => {
  for (const version of ["0.23.4", "0.36.2", "0.41.0"]) {
    it(`as SDK ${version} sends them`, () => {
      const { messages } = fixtureJson(`grpc/${version}-mixed.expected.json`) as Expected;
      const actual = grpcMessages(version);
      assertEquals(actual.map((msg, i) => describeMsg(msg, messages[i]!)), messages);
      for (const msg of actual) {
        if (msg.kind === "ArrowMsg") assertEquals(msg.ipc().length, msg.arrow.uncompressedSize);
        else if (msg.kind === "SetStoreInfo") {
          assertEquals(rrdVersionText(msg.info.storeVersion!), version);
        }
      }
    });
  }

  it("in a file that 0.41.0 saved, which ends without a marker", async () => {
    const decoder = new RrdDecoder();
    const { items, error } = decoder.push(fixture("grpc/0.41.0.saved-by-rerun.rrd"));
    assertEquals(error ?? decoder.finish(), { items: [] });
    const arrow = items.filter((msg) => msg.kind === "ArrowMsg");
    assert(arrow.length >= 5);
    const paths = new Set<string | undefined>();
    for (const msg of arrow) {
      assertEquals(msg.storeId, {
        kind: "Recording",
        id: "rec-grpc",
        applicationId: "rerun_example_grpc",
      });
      const { schema, numRows } = await msg.table();
      assert(numRows > 0);
      paths.add(schema.metadata.get("rerun:entity_path"));
    }
    assert(paths.has("/plots/sin"), [...paths].join());
  });
});

describe("damaged protobuf", () => {
  const decode = (kind: number, message: Uint8Array, limits = DECODE_LIMITS) =>
    decodeProtobufLogMsg(kind, message, "v0", { header: HEADER, bytes: message }, limits);
  const text = (number: number, value: string) =>
    Uint8Array.of(number << 3 | 2, value.length, ...new TextEncoder().encode(value));
  const nested = (number: number, ...parts: Uint8Array[]) => {
    const content = concat(...parts);
    return Uint8Array.of(number << 3 | 2, content.length, ...content);
  };
  const varint = (number: number, value: number) => Uint8Array.of(number << 3, value);
  const store = nested(1, text(2, "rec"));

  it("names what is missing", () => {
    const message = (kind: number, bytes: Uint8Array) =>
      assertThrows(() => decode(kind, bytes), InvalidMessage).message;
    const none = new Uint8Array(0);
    assertEquals(message(1, none), "Invalid protobuf SetStoreInfo: it has no row_id");
    assertEquals(message(1, nested(1, none)), "Invalid protobuf SetStoreInfo: it has no info");
    assertEquals(message(2, none), "Invalid protobuf ArrowMsg: it has no store_id");
    assertEquals(message(2, store), "Invalid ArrowMsg: unknown encoding 0");
    assertEquals(
      message(2, concat(store, varint(4, 1), varint(2, 7))),
      "Invalid ArrowMsg: unknown compression 7",
    );
    assertEquals(
      message(3, none),
      "Invalid protobuf BlueprintActivationCommand: it has no blueprint_id",
    );
    assertEquals(message(3, nested(1, varint(1, 5))), "Invalid store kind: 5");
    assertEquals(
      message(1, concat(nested(1, none), nested(2, none))),
      "Invalid protobuf StoreInfo: no store_id",
    );
  });

  it("takes no memory on the word of uncompressed_size", () => {
    const size = Uint8Array.of(3 << 3, 0xff, 0xff, 0xff, 0xff, 0x07);
    const bomb = concat(store, varint(4, 1), varint(2, 1), size);
    const error = assertThrows(() => decode(2, bomb), MessageTooLarge);
    assertEquals(error.declaredBytes, 2 ** 31 - 1);
  });

  it("gives nothing but the listed errors for 20,000 mutations", () => {
    const decoder = new RrdDecoder();
    const good = decoder.push(fixture("encodings/0.22.1-mixed-protobuf-lz4.rrd")).items.slice(0, 8);
    let refused = 0;
    for (let seed = 1; seed <= 20_000; seed++) {
      const random = seeded(seed);
      const msg = good[seed % good.length]!;
      const bytes = msg.encoded.bytes.slice(16);
      for (let n = 1 + random() * 4; n > 0; n--) {
        // The interesting bytes are at the front: behind them lies Arrow data.
        bytes[Math.floor(random() ** 3 * bytes.length)] = random() * 256;
      }
      const cut = random() < 0.2 ? bytes.subarray(0, random() * bytes.length) : bytes;
      try {
        decode(1 + seed % 3, cut);
      } catch (error) {
        if (!(error instanceof InvalidMessage || error instanceof MessageTooLarge)) {
          throw new Error(`seed ${seed}`, { cause: error });
        }
        refused++;
      }
    }
    assert(refused > 5000, `only ${refused} refused`);
  });

  it("keeps nested groups from the stack", () => {
    assertThrows(() => decode(2, new Uint8Array(1 << 20).fill(0x0b)), InvalidMessage);
  });

  it("carries unknown kinds through", () => {
    const msg = decode(9, new Uint8Array(3));
    assertEquals(msg.kind === "UnknownMsg" && msg.name, "9");
  });

  it("reads the activation of a blueprint", () => {
    const msg = decode(3, concat(nested(1, varint(1, 1), text(2, "b")), varint(2, 1)));
    assertInstanceOf(msg, Object);
    if (msg.kind !== "BlueprintActivationCommand") throw msg;
    assertEquals([msg.blueprintId, msg.makeActive, msg.makeDefault], [
      { kind: "Blueprint", id: "b" },
      true,
      false,
    ] as never);
  });
});
