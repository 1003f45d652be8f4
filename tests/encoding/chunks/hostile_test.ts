import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import * as arrow from "apache-arrow";
import { chunk, InvalidMessage } from "../../../lib/encoding/mod.ts";
import { chunkOf } from "../../bridge/chunks.ts";

const item = <T extends arrow.DataType>(type: T) => new arrow.Field("item", type, true);

/** A chunk of one column. */
function of(column: arrow.Vector) {
  const table = new arrow.Table({ column });
  table.schema.metadata.set("rerun:entity_path", "/a");
  return chunk(chunkOf(arrow.tableToIPC(table, "stream"), 41));
}

/** All rows of it. */
function rows(column: arrow.Vector): unknown[] {
  const { rowCount, components: [one] } = of(column);
  return Array.from({ length: rowCount }, (_, row) => one!.at(row));
}

describe("columns of any type", () => {
  const { vectorFromArray: vector } = arrow;

  it("are read as apache-arrow writes them", () => {
    const list = <T extends arrow.DataType>(type: T) => new arrow.List(item(type));
    assertEquals(rows(vector([[1, null], null, []], list(new arrow.Int8()))), [
      [1, null],
      undefined,
      [],
    ]);
    assertEquals(rows(vector([[true, false]], list(new arrow.Bool()))), [[true, false]]);
    assertEquals(rows(vector([["mü", "", null]], list(new arrow.Utf8()))), [["mü", "", null]]);
    assertEquals(rows(vector([["a", "b"]], list(new arrow.LargeUtf8()))), [["a", "b"]]);
    assertEquals(rows(vector([[Uint8Array.of(1)]], list(new arrow.Binary()))), [
      [Uint8Array.of(1)],
    ]);
    assertEquals(rows(vector([[[1, 2], [3]]], list(list(new arrow.Uint16())))), [
      [Uint16Array.of(1, 2), Uint16Array.of(3)],
    ]);
    const pair = new arrow.FixedSizeList(2, item(new arrow.Float32()));
    assertEquals(rows(vector([[[1, 2], [3, 4]]], list(pair))), [Float32Array.of(1, 2, 3, 4)]);
    const words = new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32());
    assertEquals(rows(vector(["a", "b", "a"], words)), ["a", "b", "a"]);
    assertEquals(rows(vector([1n, null], new arrow.Uint64())), [1n, undefined]);
    assertEquals(rows(vector([0, 1], new arrow.Float16())), [0, 1]);
    assertEquals(rows(vector([{ a: 1, b: "x" }])), [{ a: 1, b: "x" }]);
  });

  it("do not touch the prototype of what is made of them", () => {
    const type = new arrow.Struct([new arrow.Field("__proto__", new arrow.Utf8(), true)]);
    const [value] = rows(vector([JSON.parse('{"__proto__":"x"}')], type)) as object[];
    assertEquals(Object.keys(value!), ["__proto__"]);
    assertEquals(Object.getPrototypeOf(value), Object.prototype);
  });
});

describe("a column that lies", () => {
  it("takes no gigabyte for rows of nothing", () => {
    const type = new arrow.FixedSizeBinary(0);
    const list = new arrow.List(item(type));
    const child = arrow.makeData({ type, length: 2_000_000_000, nullCount: 0 });
    const valueOffsets = Int32Array.of(0, 2_000_000_000);
    const column = new arrow.Vector([
      arrow.makeData({ type: list, length: 1, nullCount: 0, valueOffsets, child }),
    ]);
    const [one] = of(column).components;
    assertThrows(() => one!.at(0), InvalidMessage, "unfolds");
    const nulls = new arrow.Vector([
      arrow.makeData({ type, length: 1_000_000_000, nullCount: 0 }),
    ]);
    assertThrows(() => of(nulls), InvalidMessage, "rows are of no data");
  });

  it("can't unfold one list many times in a dense union", () => {
    const list = new arrow.List(item(new arrow.Bool()));
    const flags = arrow.vectorFromArray([new Array(8000).fill(true)], list).data[0]!;
    const type = new arrow.DenseUnion([0], [new arrow.Field("flags", list, true)]);
    const length = 20_000;
    const child = arrow.makeData({
      type,
      length,
      typeIds: new Int8Array(length),
      valueOffsets: new Int32Array(length),
      children: [flags],
    });
    const valueOffsets = Int32Array.of(0, length);
    const column = new arrow.Vector([
      arrow.makeData({
        type: new arrow.List(item(type)),
        length: 1,
        nullCount: 0,
        valueOffsets,
        child,
      }),
    ]);
    const [one] = of(column).components;
    assertThrows(() => one!.at(0), InvalidMessage, "unfolds");
  });

  it("leads nowhere", () => {
    const list = new arrow.List(item(new arrow.Int32()));
    const child = arrow.vectorFromArray([1, 2, 3, 4], new arrow.Int32()).data[0]!;
    const valueOffsets = Int32Array.of(0, 3, 1, 4);
    const column = new arrow.Vector([
      arrow.makeData({ type: list, length: 3, nullCount: 0, valueOffsets, child }),
    ]);
    const [one] = of(column).components;
    assertEquals(one!.at(0), Int32Array.of(1, 2, 3));
    assertThrows(() => one!.at(1), InvalidMessage, "leads outside");
    assertThrows(() => one!.column.offsets, InvalidMessage, "leads outside");
  });
});
