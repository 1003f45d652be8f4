import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  Bool,
  DateMillisecond,
  Decimal,
  DenseUnion,
  Dictionary,
  DurationMicrosecond,
  Field,
  FixedSizeBinary,
  FixedSizeList,
  Float32,
  Int16,
  Int32,
  IntervalYearMonth,
  List,
  Map_,
  Schema,
  Struct,
  Table,
  tableFromIPC,
  tableToIPC,
  TimeNanosecond,
  Timestamp,
  TimeUnit,
  Uint8,
  Utf8,
} from "apache-arrow";
import { InvalidMessage } from "../../../lib/base/errors.ts";
import { encodeSchema } from "../../../lib/encoding/arrow/encode_schema.ts";
import { readSchemaTree, type SchemaField } from "../../../lib/encoding/arrow/schema_tree.ts";
import { BRIDGED, capturedMessages } from "../../bridge/chunks.ts";
import { concat } from "../rrd_builder.ts";

/** A tree without the places of its texts. */
function plain(ipc: Uint8Array) {
  const { texts: _texts, ...tree } = readSchemaTree(ipc);
  return JSON.parse(JSON.stringify(tree, (key, value) => key === "place" ? undefined : value));
}

/** One column of each type that has something to say. */
const EVERY_TYPE = tableToIPC(
  new Table(
    new Schema([
      new Field("bool", new Bool(), false),
      new Field("day", new DateMillisecond(), true),
      new Field("price", new Decimal(3, 12, 128), true),
      new Field("word", new Dictionary(new Utf8(), new Int16(), 7), true),
      new Field("took", new DurationMicrosecond(), true),
      new Field("id", new FixedSizeBinary(16), false),
      new Field("xyz", new FixedSizeList(3, new Field("item", new Float32(), false)), true),
      new Field("age", new IntervalYearMonth(), true),
      new Field("list", new List(new Field("item", new Uint8(), true)), true),
      new Field(
        "map",
        new Map_(
          new Field(
            "entries",
            new Struct([
              new Field("key", new Utf8(), false),
              new Field("value", new Int32(), true),
            ]),
            false,
          ) as never,
          true,
        ),
        true,
      ),
      new Field("at", new TimeNanosecond(), true),
      new Field("when", new Timestamp(TimeUnit.MICROSECOND, "Europe/Vienna"), true),
      new Field(
        "either",
        new DenseUnion([3, 9], [
          new Field("a", new Utf8(), true),
          new Field("b", new Bool(), true),
        ]),
        true,
      ),
    ], new Map([["ключ", "значение"], ["empty", ""]])),
  ),
  "stream",
);

describe("a schema that is read and written again", () => {
  it("is the same, of every type", () => {
    const { bytes } = encodeSchema(readSchemaTree(EVERY_TYPE));
    assertEquals(bytes.length % 8, 0);
    assertEquals(plain(bytes), plain(EVERY_TYPE));
    const end = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0);
    const [was, is] = [EVERY_TYPE, concat(bytes, end)].map((ipc) => tableFromIPC(ipc).schema);
    assertEquals(String(is), String(was));
    assertEquals([...is!.metadata], [...was!.metadata]);
    const types = ({ fields }: Schema) => fields.map(({ type }) => JSON.stringify(type, simple));
    assertEquals(types(is!), types(was!));
  });

  for (const name of BRIDGED) {
    it(`is the same, and not longer, of ${name}`, () => {
      let count = 0;
      for (const msg of capturedMessages(name)) {
        if (msg.kind !== "ArrowMsg") continue;
        const ipc = msg.ipc();
        const { bytes } = encodeSchema(readSchemaTree(ipc));
        assertEquals(plain(bytes), plain(ipc));
        assert(bytes.length <= 8 + new DataView(ipc.buffer, ipc.byteOffset).getUint32(4, true));
        count++;
      }
      assert(count > 0);
    });
  }

  it("leaves open texts apart, where others can be written over them", () => {
    const tree = readSchemaTree(EVERY_TYPE);
    const id = (start: number) => ({ key: "id", value: "AAAA", place: { start, end: start + 4 } });
    const [one, other] = [id(0), id(4)];
    const tags = [one, other, { key: "AAAA", value: "AAAA" }];
    const open = [one.place, other.place];
    const { bytes, openAt } = encodeSchema({ ...tree, tags }, open);
    bytes.set(new TextEncoder().encode("BBBB"), openAt[0]);
    bytes.set(new TextEncoder().encode("CCCC"), openAt[1]);
    const read = readSchemaTree(bytes).tags.map(({ key, value }) => `${key}=${value}`);
    assertEquals(read, ["id=BBBB", "id=CCCC", "AAAA=AAAA"]);
  });

  it("is refused where it could not be the same", () => {
    const field = (type: number): SchemaField => ({
      ...{ name: "a", nullable: true, type, parameters: [], dictionary: undefined },
      ...{ children: [], tags: [] },
    });
    for (const type of [0, 27, 255]) {
      const { bytes } = encodeSchema({ version: 4, fields: [field(type)], tags: [] });
      assertThrows(() => readSchemaTree(bytes), InvalidMessage, `Unknown Arrow type ${type}`);
    }
    let deep = field(12);
    for (let i = 0; i < 20; i++) deep = { ...field(12), children: [deep] };
    const { bytes } = encodeSchema({ version: 4, fields: [deep], tags: [] });
    assertThrows(() => readSchemaTree(bytes), InvalidMessage, "nested deeper");
  });
});

function simple(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
