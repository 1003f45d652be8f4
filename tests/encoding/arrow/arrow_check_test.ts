import { describe, it } from "node:test";
import { assert, assertEquals, assertLess } from "@std/assert";
import * as arrow from "apache-arrow";
import { ArrowChecks, checkArrow, checkArrowIpc } from "../../../lib/encoding/arrow/arrow_check.ts";
import { ArrowMsg } from "../../../lib/encoding/arrow_msg.ts";
import { RrdDecoder } from "../../../lib/encoding/rrd/rrd_decoder.ts";
import { capturePackets, CAPTURES, fixture } from "../../fixtures.ts";
import { grpcMessages } from "../../grpc_frames.ts";
import { seeded } from "../../random.ts";
import type { LogMsg } from "../../../lib/encoding/log_msg.ts";
import { cases } from "../../counts.ts";
import { leastMs } from "../../least_ms.ts";

/** Random cases that are tried. */
const ROUNDS = cases(6000, 1500);

const ENCODINGS = ["msgpack-off", "msgpack-lz4", "protobuf-off", "protobuf-lz4"];

/** All that was recorded, by where it stands. */
const REAL: [string, LogMsg[]][] = [
  ...CAPTURES.map((name): [string, LogMsg[]] => [
    name,
    capturePackets(name).flatMap((packet) => new RrdDecoder().decodePacket(packet).items),
  ]),
  ...ENCODINGS.map((name): [string, LogMsg[]] => [
    name,
    new RrdDecoder().push(fixture(`encodings/0.22.1-mixed-${name}.rrd`)).items,
  ]),
  ...["0.23.4-mixed", "0.36.2-mixed", "0.41.0-mixed"].map((name): [string, LogMsg[]] => [
    name,
    grpcMessages(name),
  ]),
  ["0.41.0 saved", new RrdDecoder().push(fixture("grpc/0.41.0.saved-by-rerun.rrd")).items],
];

const isArrow = (msg: LogMsg): msg is ArrowMsg => msg.kind === "ArrowMsg";

const SMALL = REAL.flatMap(([, messages]) => messages).filter(isArrow).map((msg) => msg.ipc())
  .filter((ipc) => ipc.length < 6000);

describe("checkArrow", () => {
  for (const [name, messages] of REAL) {
    it(`lets all of ${name} pass`, () => {
      const chunks = messages.filter(isArrow);
      assert(chunks.length > 0);
      for (const msg of chunks) {
        assertEquals(checkArrow(msg), undefined, String(msg.chunkId));
        assertEquals(checkArrow(msg, { values: true }), undefined, String(msg.chunkId));
      }
    });
  }

  it("tells a damaged LZ4 block from a chunk", () => {
    const messages = REAL.find(([name]) => name === "protobuf-lz4")![1];
    const msg = messages.filter(isArrow).find(({ arrow }) => arrow.compression === "lz4")!;
    assertEquals(checkArrow(msg), undefined);
    const bytes = msg.arrow.bytes.slice(0, -1);
    const cut = Object.create(msg, { arrow: { value: { ...msg.arrow, bytes } } });
    assert(checkArrow(cut)!.includes("LZ4"));
  });

  it("lets tables of all types pass that apache-arrow writes", () => {
    const { vectorFromArray: vector } = arrow;
    const item = <T extends arrow.DataType>(type: T) => new arrow.Field("item", type, true);
    const columns: Record<string, arrow.Vector> = {
      null: vector([null, null, null], new arrow.Null()),
      bool: vector([true, null, false], new arrow.Bool()),
      int8: vector([1, null, 3], new arrow.Int8()),
      uint64: vector([1n, 2n, 3n], new arrow.Uint64()),
      half: vector([1, 2, 3], new arrow.Float16()),
      double: vector([1.5, null, 3], new arrow.Float64()),
      text: vector(["a", "", "mü"], new arrow.Utf8()),
      binary: vector([Uint8Array.of(1), null, new Uint8Array(9)], new arrow.Binary()),
      large: vector(["a", null, "c"], new arrow.LargeUtf8()),
      date: vector([new Date(0), null, new Date(1)], new arrow.DateMillisecond()),
      time: vector([1, 2, 3], new arrow.TimeMillisecond()),
      stamp: vector([1, 2, null], new arrow.TimestampNanosecond("UTC")),
      fixed: vector([new Uint8Array(3), null, new Uint8Array(3)], new arrow.FixedSizeBinary(3)),
      list: vector([[1, 2], null, []], new arrow.List(item(new arrow.Int32()))),
      pair: vector([[1, 2], null, [3, 4]], new arrow.FixedSizeList(2, item(new arrow.Float32()))),
      struct: vector([{ a: 1, b: "x" }, { a: 2, b: "y" }, { a: 3, b: "z" }]),
      words: vector(["a", "b", "a"], new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32())),
    };
    const table = new arrow.Table(columns);
    assertEquals(checkArrowIpc(arrow.tableToIPC(table, "stream")), undefined);
    for (const [name, column] of Object.entries(columns)) {
      const ipc = arrow.tableToIPC(new arrow.Table({ column }), "stream");
      assertEquals(checkArrowIpc(ipc, { values: true }), undefined, name);
      // The library counts −1 nulls in a slice of nulls.
      if (name === "null") continue;
      const cut = arrow.tableToIPC(new arrow.Table({ column: column.slice(0, 2) }), "stream");
      assertEquals(checkArrowIpc(cut, { values: true }), undefined, `${name}, a slice`);
    }
  });

  it("tells what is wrong with a frame", () => {
    const [ipc] = SMALL;
    const view = new DataView(ipc!.buffer, ipc!.byteOffset, ipc!.length);
    const schemaEnd = 8 + view.getUint32(4, true);
    const batchAt = schemaEnd + 8 + view.getUint32(schemaEnd + 4, true);
    const schema = ipc!.subarray(0, schemaEnd);
    const batch = ipc!.subarray(schemaEnd, -8);
    const end = ipc!.subarray(-8);
    const join = (...parts: Uint8Array[]) => new Uint8Array(parts.flatMap((part) => [...part]));
    const cases: [string, Uint8Array, RegExp][] = [
      ["nothing", new Uint8Array(0), /ends at byte 0/],
      ["no schema", ipc!.subarray(schemaEnd), /no schema/],
      ["two schemas", join(schema, schema, batch, end), /message of kind 1/],
      ["no batch", join(schema, end), /ends at byte/],
      ["two batches", join(schema, batch, batch, end), /no end marker follows/],
      ["no end marker", join(schema, batch), /no end marker follows/],
      ["more than its end", join(ipc!, end), /no end marker follows/],
      ["a cut body", ipc!.subarray(0, batchAt + 1), /cut short/],
      ["cut metadata", ipc!.subarray(0, schemaEnd - 1), /bytes of metadata/],
      [
        "metadata of 4 GiB",
        join(Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255)),
        /4294967295/,
      ],
    ];
    assertEquals(checkArrowIpc(ipc!), undefined);
    for (const [what, bytes, error] of cases) {
      const found = checkArrowIpc(bytes) ?? "";
      assert(error.test(found), `${what}: ${found}`);
    }
  });

  it("lets nothing pass that apache-arrow can't read, but for times it can't show", () => {
    const seed = 20_261_123;
    const random = seeded(seed);
    const below = (n: number) => Math.floor(random() * n);
    const counts = { good: 0, refused: 0 };
    for (let round = 0; round < ROUNDS; round++) {
      const bytes = damaged(SMALL[below(SMALL.length)]!, below);
      let wrong: string | undefined;
      const ms = leastMs(() => wrong = checkArrowIpc(bytes), 1000);
      assertLess(ms, 1000);
      counts[wrong === undefined ? "good" : "refused"]++;
      if (wrong !== undefined) continue;
      try {
        readAll(arrow.tableFromIPC(bytes));
      } catch (error) {
        // It shows times as numbers.
        const text = (error as Error).message;
        assert(/not safe to convert/.test(text), `seed ${seed}, round ${round}: ${text}`);
      }
    }
    assert(counts.good > ROUNDS / 6 && counts.refused > ROUNDS / 2, JSON.stringify(counts));
  });
});

/** A copy with a few bytes changed, anywhere; sometimes cut. */
function damaged(real: Uint8Array, below: (n: number) => number): Uint8Array {
  const ipc = real.slice();
  const view = new DataView(ipc.buffer);
  for (let n = 1 + below(3); n > 0; n--) {
    const at = below(ipc.length - 4);
    const kind = below(3);
    if (kind === 0) ipc[at] = below(256);
    else if (kind === 1) ipc[at]! ^= 1 << below(8);
    else view.setInt32(at & ~3, [-1, 0x7fffffff, -below(4096), below(4096)][below(4)]!, true);
  }
  return below(10) === 0 ? ipc.slice(0, below(ipc.length)) : ipc;
}

function readAll(table: arrow.Table): void {
  for (const batch of table.batches) {
    for (const child of batch.data.children) {
      const vector = new arrow.Vector([child]);
      for (let row = 0; row < Math.min(vector.length, 100); row++) vector.get(row);
    }
  }
}

describe("ArrowChecks", () => {
  /** A chunk of so many random numbers, compressed without any repetition. */
  const chunk = (numbers: number, damage = (_: Uint8Array) => {}): ArrowMsg => {
    const random = seeded(numbers);
    const values = Int32Array.from({ length: numbers }, () => random() * 2 ** 31);
    const ipc = arrow.tableToIPC(arrow.tableFromArrays({ values }), "stream").slice();
    damage(ipc);
    const { length } = ipc;
    const more = length - 15;
    const tokens = [0xf0, ...new Array<number>(Math.floor(more / 255)).fill(255), more % 255];
    const bytes = new Uint8Array(tokens.length + length);
    bytes.set(tokens);
    bytes.set(ipc, tokens.length);
    const { storeId, timepointMax, encoded } = REAL[0]![1].find(isArrow)!;
    const data = { bytes, compression: "lz4", uncompressedSize: length } as const;
    return new ArrowMsg(storeId, undefined, timepointMax, undefined, data, encoded);
  };
  const cut = (ipc: Uint8Array) => ipc.fill(1, 0, 100);

  it("says the same as checkArrow, of compressed and other chunks in any order", () => {
    const checks = new ArrowChecks(() => {});
    const sizes = [100_000, 90_000, 200_000, 50, 2_000_000, 70_000];
    for (const size of sizes) {
      for (const msg of [chunk(size), chunk(size, cut), ...REAL[0]![1].filter(isArrow)]) {
        assertEquals(checks.isSound(msg), checkArrow(msg) === undefined);
      }
    }
    assertEquals(checks.isSound(chunk(100_000)), true);
    assertEquals(checks.isSound(chunk(100_000, cut)), false);
  });

  it("keeps as much memory as the largest sound chunk took, up to 4 MiB", () => {
    let kept = 0;
    const checks = new ArrowChecks((more) => kept += more);
    const after = (msg: ArrowMsg) => {
      checks.isSound(msg);
      return kept;
    };
    assertEquals(after(chunk(50)), 0);
    assertEquals(after(chunk(200_000, cut)), 0);
    const { uncompressedSize } = chunk(100_000).arrow;
    assertEquals(after(chunk(100_000)), uncompressedSize);
    assertEquals(after(chunk(90_000)), uncompressedSize);
    assertEquals(after(chunk(1_100_000)), uncompressedSize);
    assertEquals(after(chunk(200_000)), chunk(200_000).arrow.uncompressedSize);
  });
});
