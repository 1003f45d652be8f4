import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import * as arrow from "apache-arrow";
import { type ArrowField, readSchema, rerunTag } from "../../../lib/encoding/arrow/arrow_ipc.ts";
import { ArrowMsg } from "../../../lib/encoding/arrow_msg.ts";
import { RrdDecoder } from "../../../lib/encoding/rrd/rrd_decoder.ts";
import {
  isStaticChunk,
  readTimepoint,
  schemaOf,
  timepointOf,
} from "../../../lib/encoding/arrow/arrow_timepoint.ts";
import { compressLz4 } from "../../../lib/encoding/lz4/lz4_deflate.ts";
import { InvalidMessage } from "../../../lib/base/errors.ts";
import type { LogMsg } from "../../../lib/encoding/log_msg.ts";
import { fixture } from "../../fixtures.ts";
import { grpcMessages } from "../../grpc_frames.ts";

const GRPC = ["0.23.4-mixed", "0.36.2-mixed", "0.41.0-mixed"];
const PROTOBUF = ["0.22.1-mixed-protobuf-lz4", "0.22.1-mixed-protobuf-off"];

function chunks(msgs: readonly LogMsg[]): ArrowMsg[] {
  return msgs.filter((msg) => msg.kind === "ArrowMsg");
}

function rrdMessages(name: string): readonly LogMsg[] {
  return new RrdDecoder().push(fixture(`encodings/${name}.rrd`)).items;
}

/** Every chunk there is a recording of whose envelope has no time point. */
const CHUNKS = [...PROTOBUF.map(rrdMessages), ...GRPC.map(grpcMessages)].flatMap(chunks);

/** The time point by `apache-arrow`, in no order. */
function byLibrary(ipc: Uint8Array): Record<string, string> {
  const table = arrow.tableFromIPC(ipc);
  const times: Record<string, string> = {};
  for (const field of table.schema.fields) {
    if (!["time", "index"].includes(rerunTag(field.metadata, "kind") ?? "")) continue;
    const data = table.getChild(field.name)!.data[0]!.values as BigInt64Array;
    const max = data.reduce((a, b) => a > b ? a : b);
    times[field.name] = `${arrow.DataType.isInt(field.type) ? "sequence" : "time"} ${max}`;
  }
  return times;
}

function byUs(ipc: Uint8Array): Record<string, string> {
  return Object.fromEntries(
    readTimepoint(ipc).map(({ name, type, time }) => [name, `${type} ${time}`]),
  );
}

function index(name: string, tags: Record<string, string> = {}): arrow.Field {
  const metadata = new Map(Object.entries({ "rerun:kind": "index", ...tags }));
  return new arrow.Field(name, new arrow.Int64(), true, metadata);
}

/** An Arrow IPC stream of columns of one record batch. */
function stream(
  columns: [arrow.Field, arrow.Vector][],
  compressionType: arrow.CompressionType | null = null,
): Uint8Array {
  const schema = new arrow.Schema(columns.map(([field]) => field));
  const children = columns.map(([, vector]) => vector.data[0]!);
  const length = children[0]?.length ?? 0;
  const data = arrow.makeData({ type: new arrow.Struct(schema.fields), length, children });
  const writer = new arrow.RecordBatchStreamWriter({ compressionType });
  writer.write(new arrow.RecordBatch(schema, data));
  writer.finish();
  return writer.toUint8Array(true);
}

function int64s(...times: bigint[]): arrow.Vector {
  return arrow.makeVector(BigInt64Array.from(times));
}

/** The message as if its envelope said nothing of time, with other Arrow data if given. */
function silent(msg: ArrowMsg, arrow = msg.arrow): ArrowMsg {
  return new ArrowMsg(msg.storeId, undefined, undefined, undefined, arrow, msg.encoded);
}

describe("schemaOf", () => {
  it("is what the whole of the data says, however it is compressed", () => {
    for (const msg of CHUNKS) {
      const ipc = msg.ipc();
      assertEquals(schemaOf(msg), readSchema(ipc));
      const bytes = compressLz4(ipc);
      const arrow = { bytes, compression: "lz4", uncompressedSize: ipc.length } as const;
      assertEquals(schemaOf(silent(msg, arrow)), readSchema(ipc));
    }
  });

  it("reads schemas of every size, and refuses what is none", () => {
    for (const columns of [1, 30, 100, 5000]) {
      const ipc = stream(Array.from({ length: columns }, (_, i) => [index(`${i}`), int64s(1n)]));
      const bytes = compressLz4(ipc);
      const arrow = { bytes, compression: "lz4", uncompressedSize: ipc.length } as const;
      const msg = silent(CHUNKS[0]!, arrow);
      assertEquals(schemaOf(msg), readSchema(ipc));
      for (const length of columns < 5000 ? [0, 1, 10] : [0, 1, 10, 1000, 10_000]) {
        const cut = { ...arrow, bytes: bytes.subarray(0, length) };
        assertThrows(() => schemaOf(silent(msg, cut)), InvalidMessage);
      }
    }
  });

  it("takes no memory on the word of a schema's length", () => {
    const front = new Uint8Array(8 + 5000);
    new DataView(front.buffer).setUint32(0, 0xffffffff, true);
    new DataView(front.buffer).setUint32(4, 400 << 20, true);
    const arrow = {
      bytes: compressLz4(front),
      compression: "lz4",
      uncompressedSize: 500 << 20,
    } as const;
    assertThrows(() => schemaOf(silent(CHUNKS[0]!, arrow)), InvalidMessage, "does not inflate");
  });
});

describe("isStaticChunk", () => {
  it("agrees with the envelope, where that says it", () => {
    const told = CHUNKS.filter(({ isStatic }) => isStatic !== undefined);
    assert(told.some(({ isStatic }) => isStatic) && told.some(({ isStatic }) => !isStatic));
    for (const msg of told) assertEquals(isStaticChunk(silent(msg)), msg.isStatic);
  });

  it("is what has no time point", () => {
    for (const msg of CHUNKS) {
      assertEquals(isStaticChunk(silent(msg)), timepointOf(msg).length === 0);
    }
  });

  it("asks nothing of the data where the envelope tells", () => {
    const [msg] = CHUNKS;
    const arrow = { bytes: new Uint8Array(3), compression: "off", uncompressedSize: 3 } as const;
    const of = (times: [] | undefined, isStatic?: boolean) =>
      new ArrowMsg(msg!.storeId, undefined, times, isStatic, arrow, msg!.encoded);
    assertEquals([of([]), of(undefined, true), of(undefined, false)].map(isStaticChunk), [
      true,
      true,
      false,
    ]);
    assertThrows(() => isStaticChunk(of(undefined)), InvalidMessage);
  });
});

describe("readSchema", () => {
  it("agrees with the Arrow library on real chunks", () => {
    assert(CHUNKS.length > 80, `${CHUNKS.length}`);
    for (const msg of CHUNKS) {
      const ipc = msg.ipc();
      const expected = arrow.tableFromIPC(ipc).schema;
      const actual = readSchema(ipc);
      assertEquals(actual.metadata, expected.metadata);
      const describeField = (field: arrow.Field): unknown => [
        field.name,
        field.metadata,
        (field.type.children ?? []).map(describeField),
      ];
      const ours = (field: ArrowField): unknown => [
        field.name,
        field.metadata,
        field.children.map(ours),
      ];
      assertEquals(actual.fields.map(ours), expected.fields.map(describeField));
      assertEquals(actual.entityPath, rerunTag(expected.metadata, "entity_path"));
      if (msg.chunkId) assertEquals(actual.chunkId, msg.chunkId);
      const id = rerunTag(expected.metadata, "id")!.replace("chunk_", "").toUpperCase();
      assertEquals(String(actual.chunkId), id);
    }
  });

  it("names types", () => {
    const columns: [arrow.Field, arrow.Vector][] = [
      [arrow.Field.new("a", new arrow.Int64()), int64s(1n)],
      [arrow.Field.new("b", new arrow.Uint8()), arrow.makeVector(Uint8Array.of(1))],
      [
        arrow.Field.new("c", new arrow.TimestampNanosecond()),
        arrow.makeVector({ type: new arrow.TimestampNanosecond(), data: BigInt64Array.of(1n) }),
      ],
      [
        arrow.Field.new("d", new arrow.DurationMillisecond()),
        arrow.makeVector({ type: new arrow.DurationMillisecond(), data: BigInt64Array.of(1n) }),
      ],
      [arrow.Field.new("e", new arrow.Utf8()), arrow.vectorFromArray(["x"], new arrow.Utf8())],
    ];
    const { fields, chunkId, entityPath } = readSchema(stream(columns));
    const types = ["Int64", "UInt8", "Timestamp[ns]", "Duration[ms]", "Utf8"];
    assertEquals(fields.map(({ type }) => type), types);
    assertEquals([chunkId, entityPath], [undefined, undefined]);
  });

  it("reads no further than the schema", () => {
    const ipc = CHUNKS[0]!.ipc();
    const length = 8 + new DataView(ipc.buffer, ipc.byteOffset).getUint32(4, true);
    assertEquals(readSchema(ipc.slice(0, length)), readSchema(ipc));
    assertThrows(() => readSchema(ipc.slice(0, length - 1)), InvalidMessage, "declares");
    assertThrows(() => readSchema(new Uint8Array(0)), InvalidMessage, "ends at byte 0");
  });
});

describe("readTimepoint", () => {
  it("agrees with the envelopes of the same messages in msgpack", () => {
    const expected = chunks(rrdMessages("0.22.1-mixed-msgpack-off"));
    for (const name of PROTOBUF) {
      const actual = chunks(rrdMessages(name));
      assertEquals(actual.map((msg) => msg.timepointMax), expected.map(() => undefined));
      assertEquals(actual.map(timepointOf), expected.map((msg) => msg.timepointMax));
    }
    assertEquals(expected.map(timepointOf), expected.map((msg) => msg.timepointMax));
  });

  it("agrees with the Arrow library on real chunks", () => {
    let withTimes = 0;
    for (const msg of CHUNKS) {
      const ipc = msg.ipc();
      const expected = byLibrary(ipc);
      assertEquals(byUs(ipc), expected);
      if (msg.isStatic !== undefined) {
        assertEquals(msg.isStatic, Object.keys(expected).length === 0);
      }
      if (Object.keys(expected).length > 0) withTimes++;
    }
    assert(withTimes > 40, `${withTimes}`);
  });

  it("looks for the latest of times that are not sorted, and trusts those that are", () => {
    const times = int64s(3n, 9n, -(2n ** 62n), 4n);
    const is = (value: string) => ({ "rerun:is_sorted": value });
    assertEquals(byUs(stream([[index("f"), times]])), { f: "sequence 9" });
    assertEquals(byUs(stream([[index("f", is("false")), times]])), { f: "sequence 9" });
    assertEquals(byUs(stream([[index("f", is("true")), times]])), { f: "sequence 4" });
    assertEquals(byUs(stream([[index("f", is("")), times]])), { f: "sequence 4" });
  });

  it("gives Rerun's order and the names of the tags", () => {
    const columns: [arrow.Field, arrow.Vector][] = [
      [index("b", { "rerun:index_name": "z" }), int64s(1n)],
      [index("c"), int64s(2n)],
      [index("é"), int64s(3n)],
      [index("a"), int64s(4n)],
    ];
    assertEquals(readTimepoint(stream(columns)).map(({ name }) => name), ["a", "c", "z", "é"]);
  });

  it("finds index columns behind columns of other types", () => {
    const list = new arrow.List(arrow.Field.new("item", new arrow.Utf8()));
    const struct = new arrow.Struct([
      arrow.Field.new("x", new arrow.Float32()),
      arrow.Field.new("y", new arrow.FixedSizeList(2, arrow.Field.new("item", new arrow.Int8()))),
    ]);
    const dictionary = new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32());
    const before: [arrow.DataType, unknown[]][] = [
      [list, [["a", "b"], []]],
      [struct, [{ x: 1, y: [1, 2] }, { x: 2, y: [3, 4] }]],
      [dictionary, ["a", "b"]],
      [new arrow.Null(), [null, null]],
      [new arrow.Bool(), [true, false]],
      [new arrow.FixedSizeBinary(16), [new Uint8Array(16), new Uint8Array(16)]],
    ];
    const columns: [arrow.Field, arrow.Vector][] = before.map(([type, values], i) => [
      arrow.Field.new(`column ${i}`, type, true),
      arrow.vectorFromArray(values, type),
    ]);
    const ipc = stream([...columns, [index("frame"), int64s(41n, 42n)]]);
    assertEquals(byUs(ipc), { frame: "sequence 42" });
    assertEquals(byLibrary(ipc), { frame: "sequence 42" });
  });

  it("takes a chunk without rows or without index columns for static", () => {
    assertEquals(readTimepoint(stream([[index("f"), int64s()]])), []);
    assertEquals(
      readTimepoint(stream([[arrow.Field.new("f", new arrow.Int64()), int64s(1n)]])),
      [],
    );
  });

  it("refuses what it cannot read", () => {
    const refused = (ipc: Uint8Array, message: string) =>
      assertThrows(() => readTimepoint(ipc), InvalidMessage, message);
    const gaps = arrow.vectorFromArray([1n, null], new arrow.Int64());
    refused(stream([[index("f"), gaps]]), "gaps");
    const text = new arrow.Field("f", new arrow.Utf8(), true, index("f").metadata);
    refused(stream([[text, arrow.vectorFromArray(["1"], new arrow.Utf8())]]), "type Utf8");
    // The library only looks whether the result begins as an LZ4 frame does.
    const encode = (data: Uint8Array) => Uint8Array.of(4, 34, 77, 24, 0x40, 0, 0, ...data);
    arrow.compressionRegistry.set(arrow.CompressionType.LZ4_FRAME, { encode });
    const compressed = stream([[index("f"), int64s(1n)]], arrow.CompressionType.LZ4_FRAME);
    refused(compressed, "compressed");
    const whole = stream([[index("f"), int64s(1n, 2n, 3n)]]);
    refused(whole.slice(0, readSchemaLength(whole)), "ends at byte");
    refused(whole.slice(0, whole.length - 16), "cut short");
  });
});

function readSchemaLength(ipc: Uint8Array): number {
  return 8 + new DataView(ipc.buffer, ipc.byteOffset).getUint32(4, true);
}
