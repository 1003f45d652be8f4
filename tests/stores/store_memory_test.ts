import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { ArrowMsg } from "../../lib/encoding/arrow_msg.ts";
import { RrdDecoder } from "../../lib/encoding/rrd/rrd_decoder.ts";
import { staticKey } from "../../lib/encoding/arrow/static_key.ts";
import { shortened, StoreMemory } from "../../lib/stores/store_memory.ts";
import { capturePackets, fixture } from "../fixtures.ts";
import { seeded } from "../random.ts";
import { header } from "../sinks/messages.ts";

const CHUNKS = capturePackets("0.22.1-mixed").flatMap((packet) =>
  new RrdDecoder().push(packet).items
)
  .filter((msg) => msg.kind === "ArrowMsg");
const STATIC = CHUNKS.filter((msg) => msg.timepointMax!.length === 0);
const HEADER = header([0, 22, 1]);

const TABLES = ["0.11.0", "0.15.1", "0.16.1"];

/** Three rows, the second of which was logged as timeless, or static. */
function tablesOf(version: string): ArrowMsg[] {
  return new RrdDecoder().push(fixture(`tables/${version}-static-row.rrd`)).items
    .filter((msg) => msg.kind === "ArrowMsg");
}

function of(id: string, { chunkId, timepointMax, isStatic, arrow, encoded }: ArrowMsg): ArrowMsg {
  return new ArrowMsg({ kind: "Recording", id }, chunkId, timepointMax, isStatic, arrow, encoded);
}

function remember(memory: StoreMemory, msg: ArrowMsg, bytes: Uint8Array) {
  const store = memory.storeOf(msg)!;
  memory.remember(store, msg, { header: HEADER, bytes });
  return store;
}

describe("staticKey", () => {
  it("is one for each entity and its components, none for what has a time", () => {
    for (const msg of CHUNKS) assertEquals(staticKey(msg) !== undefined, STATIC.includes(msg));
    const keys = new Set(STATIC.map(staticKey));
    assertEquals(keys.size, STATIC.length);
    assert([...keys].every((key) => key!.startsWith('["/')));
  });
});

describe("staticKey of tables", () => {
  for (const version of TABLES) {
    it(`finds the row without a time among those with one, SDK ${version}`, () => {
      const [table] = tablesOf(version);
      assert(table!.timepointMax!.length > 0);
      assertEquals(
        staticKey(table!)?.replace("/doc", "doc"),
        'table ["doc","rerun.components.Text","rerun.components.TextDocumentIndicator"]',
      );
    });
  }

  it("finds none in tables whose rows all have a time", () => {
    for (const version of ["0.9.1-scalars", "0.15.1-mixed", "0.16.1-mixed"]) {
      const tables = capturePackets(version).flatMap((packet) =>
        new RrdDecoder().push(packet).items
      ).filter((msg) => msg.kind === "ArrowMsg");
      const keys = tables.map(staticKey);
      assert(keys.some((key) => key === undefined), version);
      for (const [i, table] of tables.entries()) {
        if (table.timepointMax!.length === 0) assert(keys[i]!.startsWith("table "), version);
      }
    }
  });

  it("survives damage anywhere", () => {
    const random = seeded(7);
    for (const version of TABLES) {
      const [{ storeId, chunkId, timepointMax, arrow, encoded }] = tablesOf(version) as [ArrowMsg];
      for (let i = 0; i < 500; i++) {
        const bytes = arrow.bytes.slice();
        for (let n = 0; n < 3; n++) {
          bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
        }
        const broken = { ...arrow, bytes };
        staticKey(new ArrowMsg(storeId, chunkId, timepointMax, undefined, broken, encoded));
      }
    }
  });
});

describe("StoreMemory", () => {
  it("keeps the newest static data, the oldest of all stores gives way", () => {
    // 512 bytes are counted for the objects around a message.
    const memory = new StoreMemory(2 * 512 + 100);
    const [a, b] = STATIC as [ArrowMsg, ArrowMsg];
    const one = remember(memory, of("one", a), new Uint8Array(60).fill(1));
    const two = remember(memory, of("two", a), new Uint8Array(40).fill(2));
    remember(memory, of("one", a), new Uint8Array(50).fill(3));
    assertEquals([one, two].map(({ data }) => [...data.values()].map(({ bytes }) => bytes[0])), [
      [3],
      [2],
    ]);
    assertEquals(memory.forgotten, 0);
    remember(memory, of("one", b), new Uint8Array(30));
    assertEquals([one.data.size, two.data.size, memory.forgotten], [2, 0, 1]);
    remember(memory, of("two", b), new Uint8Array(1125));
    assertEquals([two.data.size, memory.forgotten], [0, 2]);
  });

  it("keeps bytes of its own", () => {
    const memory = new StoreMemory();
    const bytes = Uint8Array.of(1, 2, 3);
    const store = remember(memory, of("one", STATIC[0]!), bytes);
    bytes.fill(9);
    assertEquals([...store.data.values()][0]!.bytes, Uint8Array.of(1, 2, 3));
  });

  it("forgets stores beyond 10,000, with what they held", () => {
    const memory = new StoreMemory();
    const first = remember(memory, of("first", STATIC[0]!), new Uint8Array(10));
    for (let i = 0; i < 10_000; i++) memory.storeOf(of(`r${i}`, STATIC[0]!));
    assertEquals(first.data.size, 0);
    assert(memory.storeOf(of("first", STATIC[0]!)) !== first);
  });

  it("takes long names for their beginning", () => {
    const memory = new StoreMemory();
    const store = memory.storeOf(of("x".repeat(5000), STATIC[0]!))!;
    assertEquals(store.id.id.length, 1024);
    assertEquals(memory.storeOf(of("x".repeat(6000), STATIC[0]!)), store);
    assertEquals(shortened("short"), "short");
  });
});
