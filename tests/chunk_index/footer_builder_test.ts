import { describe, it } from "node:test";
import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { FooterBuilder } from "../../lib/chunk_index/footer_builder.ts";
import { NotIndexable } from "../../lib/chunk_index/not_indexable.ts";
import { encodeStoreInfo } from "../../lib/encoding/rrd/encode_store_info.ts";
import { decodeRrdHeader } from "../../lib/encoding/rrd_header.ts";
import { concat } from "../encoding/rrd_builder.ts";
import { fixture } from "../fixtures.ts";
import { seeded } from "../random.ts";
import { chunkMessage, fileOf, HEADER } from "./chunks.ts";
import { described, footerOf, indexBytes, withFooter } from "./footers.ts";
import { cases } from "../counts.ts";

/** Random cases that are tried. */
const ROUNDS = cases(3000, 600);

describe("a footer of ours", () => {
  for (
    const name of ["0.41.0-mixed.readback", "0.41.0-three-stores.merged-by-rerun"]
  ) {
    it(`says what Rerun's own says, with the same hash: ${name}`, async () => {
      const file = fixture(`grpc/${name}.rrd`);
      const [ours, theirs] = [
        described(footerOf(await withFooter(file))),
        described(footerOf(file)),
      ];
      const key = (manifest: unknown) => JSON.stringify((manifest as { storeId: unknown }).storeId);
      const sorted = (list: unknown[]) => list.toSorted((a, b) => key(a) < key(b) ? -1 : 1);
      assertEquals(sorted(ours), sorted(theirs));
    });
  }
});

/** Values of the columns of the only store, by name. */
function valuesOf(footer: Uint8Array): Record<string, unknown> {
  const [{ columns }] = described(footer) as [{ columns: { name: string; values: unknown }[] }];
  return Object.fromEntries(columns.map(({ name, values }) => [name, values]));
}

async function indexed(...messages: Uint8Array[]): Promise<Record<string, unknown>> {
  return valuesOf(footerOf(await withFooter(fileOf(...messages))));
}

describe("an index of many stores", () => {
  it("takes each of 10,000 announced twice, as SDKs do, and no more of them", () => {
    const header = decodeRrdHeader(HEADER);
    const builder = new FooterBuilder(header);
    const announce = (id: string) => {
      const message = encodeStoreInfo(header, {
        applicationId: "app",
        storeId: { kind: "Recording", id, applicationId: "app" },
        storeSource: { kind: "Unknown" },
        isOfficialExample: false,
        started: 0n,
      });
      const front = message.subarray(16);
      return builder.add(1, { length: front.length, front }, 28);
    };
    for (let i = 0; i < 10_000; i++) {
      announce(`rec${i}`);
      announce(`rec${i}`);
    }
    assertThrows(() => announce("one more"), NotIndexable, "more than 10000 recordings");
  });
});

describe("columns of an index", () => {
  it("have the lowest and highest times, whatever their order and sign", async () => {
    const times = { frame: [5n, -(2n ** 40n), 7n, 2n ** 33n, 2n ** 33n + 1n] };
    const components = { "Scalars:scalars": [[1], [2], [3], [4], [5]] };
    const values = await indexed(chunkMessage({ times, components }));
    assertEquals(values["frame:start"], [String(-(2n ** 40n))]);
    assertEquals(values["frame:end"], [String(2n ** 33n + 1n)]);
  });

  for (const lz4 of [false, true]) {
    it(`have a sparse component's own times${lz4 ? ", in LZ4" : ""}`, async () => {
      const times = { frame: [1n, 2n, 3n, 4n] };
      const components = {
        "A:x": [[1], [2], [3], [4]],
        "A:y": [null, [2], [3], null],
        "A:z": [null, null, null, null],
      };
      const values = await indexed(chunkMessage({ times, components, lz4 }));
      assertEquals(values["frame:A:x:start"], ["1"]);
      assertEquals([values["frame:A:y:start"], values["frame:A:y:end"]], [["2"], ["3"]]);
      assertEquals(values["frame:A:y:num_rows"], ["2"]);
      assertEquals([values["frame:A:z:start"], values["frame:A:z:num_rows"]], [[null], ["0"]]);
    });
  }

  it("say of each chunk what it has, and nothing of what it has not", async () => {
    const values = await indexed(
      chunkMessage({ id: 1, times: {}, components: { "A:x": [[1]] } }),
      chunkMessage({ id: 2, times: { t: [3n] }, components: { "A:x": [[1]] } }),
      chunkMessage({ id: 3, times: { u: [4n] }, components: { "B:y": [[1]] } }),
      chunkMessage({ id: 4, times: { t: [] }, components: { "A:x": [] } }),
    );
    assertEquals(values["chunk_is_static"], ["true", "false", "false", "false"]);
    assertEquals(values["A:x:has_static_data"], ["true", "false", "false", "false"]);
    assertEquals(values["t:start"], [null, "3", null, null]);
    assertEquals(values["t:A:x:end"], [null, "3", null, null]);
    assertEquals(values["t:A:x:num_rows"], ["0", "1", "0", "0"]);
    assertEquals(values["u:B:y:start"], [null, null, "4", null]);
    assertEquals(Object.keys(values).filter((name) => name.startsWith("u:A")), []);
    assertEquals(values["chunk_num_rows"], ["1", "1", "1", "0"]);
  });

  it("have a chunk of many rows, in LZ4 too, of which the front alone is read", async () => {
    const rows = 5000;
    const times = { frame: Array.from({ length: rows }, (_, i) => BigInt((i * 7919) % rows)) };
    const components = { "A:x": Array.from({ length: rows }, () => [0.5, 0.25]) };
    const small = chunkMessage({ id: 2, times: { frame: [9n] }, components: { "A:x": [[1]] } });
    for (const lz4 of [false, true]) {
      const values = await indexed(chunkMessage({ times, components, lz4 }), small);
      assertEquals(values["frame:start"], ["0", "9"]);
      assertEquals(values["frame:end"], [String(rows - 1), "9"]);
    }
  });

  // 160 kB have literals behind the times that reach over what is read at first, and the length of
  // those in 16 MB alone takes more than that.
  for (const values of [20_000, 2_000_000]) {
    it(`have a chunk in LZ4 whose values do not compress: ${values} numbers`, async () => {
      const random = seeded(values);
      // All of a number's bits: zeros among them would repeat.
      const noise = () => random() + random() * 2 ** -32;
      const row = () => Array.from({ length: values / 4 }, noise);
      const times = { frame: [40n, 10n, 30n, 20n] };
      const components = { "A:x": [row(), row(), row(), row()] };
      const small = chunkMessage({ id: 2, times: { frame: [9n] }, components: { "A:x": [[1]] } });
      const found = await indexed(chunkMessage({ times, components, lz4: true }), small);
      assertEquals([found["frame:start"], found["frame:end"]], [["10", "9"], ["40", "9"]]);
    });
  }

  it("are found anew where the same schema comes with another id", async () => {
    const messages = Array.from(
      { length: 40 },
      (_, i) => chunkMessage({ id: i + 1, path: `/p${i % 3}`, times: { frame: [BigInt(i)] } }),
    );
    const values = await indexed(...messages);
    assertEquals(
      values["chunk_id"],
      messages.map((_, i) => `${"0".repeat(15)}1${(i + 1).toString(16).padStart(16, "0")}`),
    );
    assertEquals(values["frame:start"], messages.map((_, i) => String(i)));
    assertEquals(values["chunk_entity_path"], messages.map((_, i) => `/p${i % 3}`));
  });
});

describe("what can't be indexed has no index, and says why", () => {
  const refused = async (why: string, ...messages: Uint8Array[]) => {
    await assertRejects(() => indexBytes(fileOf(...messages)), NotIndexable, why);
  };

  it("timelines that would have the same name in it", async () => {
    await refused(
      'its timelines "a b" and "a_b" would have the same name in the index',
      chunkMessage({ times: { "a b": [1n] } }),
      chunkMessage({ id: 2, times: { a_b: [1n] } }),
    );
    await indexed(chunkMessage({ components: { "A:a b": [[1]], "A:a_b": [[1]] } }));
  });

  it("chunks of forms to come", async () => {
    await refused("not known: 1.0.0", chunkMessage({ tags: { "sorbet:version": "1.0.0" } }));
  });

  it("chunks that are called otherwise in their own schema, or nothing there", async () => {
    const own = `chunk_${"0".repeat(31)}7`;
    await refused("another id", chunkMessage({ tags: { "rerun:id": own } }));
    await refused("another id", chunkMessage({ tags: { "rerun:id": "" } }));
  });

  it("a store of which nobody says the application", async () => {
    await refused("application", chunkMessage({ storeId: { kind: "Recording", id: "x" } }));
  });

  it("what is cut, has another header inside, or something behind its end", async () => {
    const whole = concat(HEADER, chunkMessage());
    await assertRejects(() => indexBytes(whole.subarray(0, -1)), NotIndexable, "cut short");
    await assertRejects(() => indexBytes(concat(whole, whole)), NotIndexable, "one stream");
    const behind = concat(whole, new Uint8Array(17));
    await assertRejects(() => indexBytes(behind), NotIndexable, "behind its end marker");
    const unknown = concat(whole, Uint8Array.of(9, ...new Uint8Array(15)));
    await assertRejects(() => indexBytes(unknown), NotIndexable, "unknown kind 9");
  });

  it("what has too many chunks for its columns", async () => {
    const messages = Array.from({ length: 10 }, (_, i) => chunkMessage({ id: i + 1 }));
    const { footer } = await indexBytes(fileOf(...messages), { maxCells: 130 });
    assertEquals(footer.chunks, 10);
    const error = await assertRejects(
      () => indexBytes(fileOf(...messages), { maxCells: 129 }),
      NotIndexable,
      "rerun rrd optimize",
    );
    assertEquals(error.about, "size");
  });

  it("damaged chunks never end in anything else, or in a footer of another chunk's length", async () => {
    const random = seeded(7);
    const whole = fileOf(
      chunkMessage({ lz4: true, components: { "A:x": [[1]], "A:y": [null] } }),
      chunkMessage({ id: 2, times: {} }),
    );
    let refusals = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const bytes = whole.slice();
      for (let flips = 1 + Math.floor(random() * 3); flips > 0; flips--) {
        bytes[12 + Math.floor(random() * (bytes.length - 12))]! ^= 1 << Math.floor(random() * 8);
      }
      try {
        const { footer } = await indexBytes(bytes);
        footer.endAt(0);
      } catch (error) {
        assertInstanceOf(error, NotIndexable, String((error as Error).stack));
        refusals++;
      }
    }
    assert(refusals > ROUNDS / 6, `${refusals}`);
  });
});
