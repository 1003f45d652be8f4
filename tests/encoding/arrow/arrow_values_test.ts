import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import * as arrow from "apache-arrow";
import { checkArrowIpc } from "../../../lib/encoding/arrow/arrow_check.ts";

const { vectorFromArray: vector } = arrow;

/** The stream of one column, and how some bytes of its data are changed. */
interface Damage {
  readonly column: arrow.Vector;
  readonly from: readonly number[];
  readonly to: readonly number[];
  readonly wrong: RegExp;
}

const int32s = (...values: number[]) => [...new Uint8Array(Int32Array.from(values).buffer)];

const texts = vector(["añb", "c", "", "d"], new arrow.Utf8());
const lists = vector([[1], [2, 3], [4]], new arrow.List(new arrow.Field("item", new arrow.Int8())));

const dense = union(arrow.UnionMode.Dense, [0, 1, 0], [0, 0, 1], [2, 1]);
const sparse = union(arrow.UnionMode.Sparse, [0, 1, 0], undefined, [3, 3]);

/** A union of Int8 and Float64 with the type ids 0 and 1. */
function union(
  mode: arrow.UnionMode,
  typeIds: number[],
  offsets: number[] | undefined,
  lengths: [number, number],
): arrow.Vector {
  const fields = [
    new arrow.Field("a", new arrow.Int8(), true),
    new arrow.Field("b", new arrow.Float64(), true),
  ];
  const type = new arrow.Union(mode, [0, 1], fields);
  const children = [
    arrow.makeData({ type: new arrow.Int8(), data: new Int8Array(lengths[0]) }),
    arrow.makeData({ type: new arrow.Float64(), data: new Float64Array(lengths[1]) }),
  ];
  const props = { type, length: typeIds.length, typeIds: Int8Array.from(typeIds), children };
  return arrow.makeVector(
    // deno-lint-ignore no-explicit-any
    arrow.makeData((offsets ? { ...props, valueOffsets: Int32Array.from(offsets) } : props) as any),
  );
}

const DAMAGES: Readonly<Record<string, Damage>> = {
  "a byte that is no UTF-8": {
    column: texts,
    from: [0x61, 0xc3, 0xb1, 0x62],
    to: [0x61, 0xff, 0xb1, 0x62],
    wrong: /not UTF-8/,
  },
  "a text that begins inside a character": {
    column: texts,
    from: int32s(0, 4, 5, 5, 6),
    to: int32s(0, 2, 5, 5, 6),
    wrong: /not UTF-8/,
  },
  "an offset that goes back": {
    column: texts,
    from: int32s(0, 4, 5, 5, 6),
    to: int32s(0, 5, 4, 5, 6),
    wrong: /out of order/,
  },
  "an offset of a list that leads outside": {
    column: lists,
    from: int32s(0, 1, 3, 4),
    to: int32s(0, 1, 9, 4),
    wrong: /out of order/,
  },
  "more nulls than declared": {
    column: vector([1, null, 3, 4, 5, 6, 7, 8, 9, null], new arrow.Int32()),
    from: [0b11111101, 0b01, 0, 0, 0, 0, 0, 0],
    to: [0b11110101, 0b01, 0, 0, 0, 0, 0, 0],
    wrong: /3 nulls instead of 2/,
  },
  "an index that leads outside its dictionary": {
    column: vector(["x", "y", "x"], new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32())),
    from: int32s(0, 1, 0),
    to: int32s(0, 2, 0),
    wrong: /outside its dictionary/,
  },
  "an index below zero": {
    column: vector(["x", "y", "x"], new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32())),
    from: int32s(0, 1, 0),
    to: int32s(0, -1, 0),
    wrong: /outside its dictionary/,
  },
  "a row of a dense union that leads outside": {
    column: dense,
    from: int32s(0, 0, 1),
    to: int32s(0, 0, 2),
    wrong: /union leads outside/,
  },
  "a row of a type that its union does not have": {
    column: sparse,
    from: [0, 1, 0, 0, 0, 0, 0, 0],
    to: [0, 2, 0, 0, 0, 0, 0, 0],
    wrong: /type that its union does not have/,
  },
};

describe("checkArrow, values too", () => {
  for (const [what, { column, from, to, wrong }] of Object.entries(DAMAGES)) {
    it(`tells ${what}`, () => {
      const ipc = arrow.tableToIPC(new arrow.Table({ column }), "stream").slice();
      assertEquals(checkArrowIpc(ipc, { values: true }), undefined);
      const places = [];
      for (let at = 0; at < ipc.length; at++) {
        if (from.every((byte, i) => ipc[at + i] === byte)) places.push(at);
      }
      // Metadata come first.
      ipc.set(to, places.at(-1));
      assertEquals(checkArrowIpc(ipc), undefined, "the frame is whole");
      const found = checkArrowIpc(ipc, { values: true }) ?? "nothing";
      assert(wrong.test(found), found);
    });
  }
});
