import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { Bridge } from "../../lib/bridge/mod.ts";
import { checkArrowIpc } from "../../lib/encoding/arrow/arrow_check.ts";
import { encodeBatch, readBatch } from "../../lib/encoding/arrow/batch_arrays.ts";
import { readSchemaTree, type SchemaField } from "../../lib/encoding/arrow/schema_tree.ts";
import { schemaBytes } from "../../lib/encoding/arrow/known_schemas.ts";
import type { ArrowMsg } from "../../lib/encoding/arrow_msg.ts";
import { RrdDecoder } from "../../lib/encoding/rrd/rrd_decoder.ts";
import { fixture } from "../fixtures.ts";
import { chunkOf } from "./chunks.ts";
import { cases } from "../counts.ts";

/** What `every_archetype.py` logs of images and tensors with an SDK. */
function logged(version: string): ArrowMsg[] {
  return new RrdDecoder().push(fixture(`every/${version}-images.rrd`)).items
    .filter((msg): msg is ArrowMsg => msg.kind === "ArrowMsg");
}

/** By entity and component: the archetype's field, and what is in the column. */
async function columnsOf(msgs: readonly ArrowMsg[]): Promise<Record<string, unknown>> {
  const all: Record<string, unknown> = {};
  for (const msg of msgs) {
    const { fields, tags } = readSchemaTree(msg.ipc());
    const path = tags.find(({ key }) => key === "rerun.entity_path")!.value;
    const table = await msg.table();
    for (const { name, tags } of fields) {
      const of = Object.fromEntries(tags.map(({ key, value }) => [key, value]));
      const field = of["rerun.archetype_field"];
      if (field === undefined) continue;
      all[`${path} ${of["rerun.archetype"]} ${field} type`] = typeOf(
        fields.find((each) => each.name === name)!,
      );
      const values = JSON.stringify(
        table.getChild(name)!.toArray(),
        (_, value) =>
          typeof value === "bigint"
            ? `${value}`
            : ArrayBuffer.isView(value)
            ? Array.from(value as Uint8Array, String)
            : value,
      );
      all[`${path} ${of["rerun.archetype"]} ${field}`] = values;
    }
  }
  return all;
}

/** All that viewers go by, whether it may be null included. */
function typeOf({ name, type, parameters, nullable, children }: SchemaField): unknown {
  return [name, type, parameters, nullable, ...children.map(typeOf)];
}

const bridged = (msgs: readonly ArrowMsg[]) => {
  const bridge = new Bridge();
  const items = msgs.map((msg) => bridge.bridge(msg) as ArrowMsg);
  return { items, untagged: Object.fromEntries(bridge.counts.untagged) };
};

describe("data that is laid out otherwise today", () => {
  for (const version of ["0.17.0", "0.18.2", "0.21.0"]) {
    it(`of SDK ${version} is what SDK 0.22.1 logs of the same images, tensors and markers`, async () => {
      const { items, untagged } = bridged(logged(version));
      assertEquals(untagged, {});
      for (const { ipc } of items.map((msg) => ({ ipc: msg.ipc() }))) {
        assertEquals(checkArrowIpc(ipc, { values: true }), undefined);
      }
      const found = await columnsOf(items);
      const expected = await columnsOf(bridged(logged("0.22.1")).items);
      for (const name of ["Image", "DepthImage", "SegmentationImage"]) {
        for (const field of ["buffer", "format"]) {
          const key = `/${name} rerun.archetypes.${name} ${field}`;
          assert(key in expected, key);
          assertEquals(found[key], expected[key], key);
          assertEquals(found[`${key} type`], expected[`${key} type`], key);
        }
      }
      for (const [name, field] of [["Tensor", "data"], ["BarChart", "values"]]) {
        const key = `/${name} rerun.archetypes.${name} ${field}`;
        assert(key in expected, key);
        assertEquals(found[key], expected[key], key);
        assertEquals(found[`${key} type`], expected[`${key} type`], key);
      }
      const key = "/SeriesPoint rerun.archetypes.SeriesPoint marker";
      assertEquals(found[key], expected[key]);
      assertEquals(found[`${key} type`], expected[`${key} type`]);
    });
  }

  it("keeps row ids, times and all other columns byte for byte", () => {
    for (const msg of logged("0.17.0")) {
      const columns = (each: ArrowMsg) => {
        const ipc = each.ipc();
        const { fields } = readSchemaTree(ipc);
        const { columns } = readBatch(ipc, schemaBytes(ipc).place.end, fields);
        return new Map(columns.map((column) => [column.field.name, column.buffers]));
      };
      const before = columns(msg);
      const after = columns(bridged([msg]).items[0]!);
      for (const [name, buffers] of before) {
        const isOther = /TensorData|MarkerShape/.test(name);
        if (!isOther) assertEquals(after.get(name), buffers, name);
      }
    }
  });
});

describe("a record batch", () => {
  it("is written as it was read", () => {
    for (const msg of logged("0.22.1")) {
      const ipc = msg.ipc();
      const { end } = schemaBytes(ipc).place;
      const { fields } = readSchemaTree(ipc);
      const batch = readBatch(ipc, end, fields);
      const encoded = encodeBatch(batch);
      const again = new Uint8Array(end + encoded.bytes).fill(7);
      again.set(ipc.subarray(0, end));
      encoded.write(again.subarray(end));
      assertEquals(checkArrowIpc(again, { values: true }), undefined);
      assertEquals(readBatch(again, end, fields), batch);
    }
  });

  it("that is damaged is left as it came, whatever byte of it is", () => {
    for (const msg of [...logged("0.17.0"), ...logged("0.21.0").slice(-3)]) {
      const ipc = msg.ipc();
      const { end } = schemaBytes(ipc).place;
      const bridge = new Bridge();
      for (let at = end; at < Math.min(ipc.length, end + 2000); at += cases(3, 12)) {
        for (const value of [0x7f, 0xff]) {
          const damaged = ipc.slice();
          damaged[at] = value;
          const { encoded } = bridge.bridge(chunkOf(damaged, 17));
          assert(encoded.bytes.length > 0);
        }
      }
      assertEquals(bridge.counts.damaged, 0);
    }
  });
});
