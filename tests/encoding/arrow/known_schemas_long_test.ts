import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { encodeSchema } from "../../../lib/encoding/arrow/encode_schema.ts";
import { KnownSchemas, schemaBytes } from "../../../lib/encoding/arrow/known_schemas.ts";
import { readSchemaTree } from "../../../lib/encoding/arrow/schema_tree.ts";
import { chunk, column } from "../../bridge/chunks.ts";

const OWNER = "rec";

/** A chunk's Arrow data. */
function ipcOf(path: string, id: number, columns: readonly string[] = ["a"]): Uint8Array {
  return chunk(columns, { path, id }).ipc();
}

function add(known: KnownSchemas<string>, ipc: Uint8Array, value: string, owner = OWNER): boolean {
  const schema = schemaBytes(ipc);
  const reads = new Uint8Array(schema.place.end - schema.place.start);
  const tree = readSchemaTree(ipc, reads);
  const place = (key: string) => tree.tags.find((tag) => tag.key === key)!.place!;
  const open = [place("rerun.id"), place("rerun.heap_size_bytes")];
  const key = place("rerun.entity_path");
  return known.add(schema, tree, reads, { key, open, owner }, value);
}

describe("known schemas", () => {
  it("are found with another id and size, and by nothing else that differs", () => {
    const known = new KnownSchemas<string>();
    const find = (ipc: Uint8Array) => known.find(schemaBytes(ipc), OWNER);
    assertEquals(find(ipcOf("/a", 1)), undefined);
    assert(add(known, ipcOf("/a", 1), "a"));
    assert(add(known, ipcOf("/b", 1), "b"));
    assertEquals(find(ipcOf("/a", 0xabcdef)), "a");
    assertEquals(find(chunk(["a"], { path: "/b", size: 999 }).ipc()), "b");
    assertEquals(find(ipcOf("/c", 1)), undefined);
    assertEquals(find(ipcOf("/a", 1, ["b"])), undefined);
    assertEquals(find(ipcOf("/a", 1, ["a", "b"])), undefined);
    // Another byte of the structure: the column is not nullable.
    assertEquals(
      find(chunk([{ ...column("a"), nullable: false }], { path: "/a" }).ipc()),
      undefined,
    );
  });

  it("are found whatever stands where nobody reads", () => {
    const known = new KnownSchemas<string>();
    const ipc = ipcOf("/a", 1);
    assert(add(known, ipc, "a"));
    const { start, end } = schemaBytes(ipc).place;
    const reads = new Uint8Array(end - start);
    readSchemaTree(ipc, reads);
    const unread = reads.indexOf(0);
    assert(unread >= 0);
    const other = ipcOf("/a", 2);
    other[start + unread]! ^= 0xff;
    assertEquals(known.find(schemaBytes(other), OWNER), "a");
  });

  it("of one owner are not those of another", () => {
    const known = new KnownSchemas<string>();
    add(known, ipcOf("/a", 1), "mine");
    const schema = schemaBytes(ipcOf("/a", 2));
    assertEquals(known.find(schema, "other"), undefined);
    add(known, ipcOf("/a", 1), "yours", "other");
    assertEquals([known.find(schema, OWNER), known.find(schema, "other")], ["mine", "yours"]);
  });

  it("take the place of what was known of them", () => {
    const known = new KnownSchemas<string>();
    add(known, ipcOf("/a", 1), "before");
    add(known, ipcOf("/a", 2), "after");
    assertEquals(known.find(schemaBytes(ipcOf("/a", 3)), OWNER), "after");
  });

  it("differ by ASCII only, so that what is UTF-8 stays it", () => {
    const known = new KnownSchemas<string>();
    add(known, ipcOf("/a", 1), "a");
    const other = ipcOf("/a", 1);
    const id = readSchemaTree(other).tags.find(({ key }) => key === "rerun.id")!.place!;
    other[schemaBytes(other).place.start + id.start] = 0xff;
    assertEquals(known.find(schemaBytes(other), OWNER), undefined);
  });

  it("are not kept where the id is the text of something else, too", () => {
    const known = new KnownSchemas<string>();
    const { bytes: ipc } = encodeSchema({
      version: 4,
      // Texts that are the same are written once.
      fields: [column("1".repeat(32))],
      tags: Object.entries({
        "rerun.id": "1".repeat(32),
        "rerun.entity_path": "/a",
        "rerun.heap_size_bytes": "100",
      }).map(([key, value]) => ({ key, value })),
    });
    assertEquals(add(known, ipc, "a"), false);
    assertEquals(known.find(schemaBytes(ipc), OWNER), undefined);
  });

  it("are bounded: the oldest are forgotten", () => {
    const known = new KnownSchemas<string>();
    const path = (i: number) => `/robot/${String(i).padStart(5, "0")}`;
    const many = 2500;
    for (let i = 0; i < many; i++) assert(add(known, ipcOf(path(i), 1), path(i)));
    const found = Array.from(
      { length: many },
      (_, i) => known.find(schemaBytes(ipcOf(path(i), 2)), OWNER),
    );
    const kept = found.filter((value) => value !== undefined).length;
    const bytes = schemaBytes(ipcOf(path(0), 1)).place.end;
    assert(kept > 100 && kept < many && kept * bytes < 1100 * 1024, `${kept} of ${bytes} bytes`);
    assertEquals(found.slice(-kept), Array.from({ length: kept }, (_, i) => path(many - kept + i)));
  });

  it("of ever new lengths and shapes are bounded, too", () => {
    const known = new KnownSchemas<string>();
    for (let i = 1; i < 900; i++) {
      add(known, ipcOf(`/ü${"x".repeat(i)}`, 1), "");
      add(known, ipcOf(`/ä${"x".repeat(i)}`, 1, ["a".repeat(i)]), "");
    }
    assertEquals(known.find(schemaBytes(ipcOf(`/ü${"x".repeat(899)}`, 2)), OWNER), "");
    assertEquals(known.find(schemaBytes(ipcOf("/üx", 2)), OWNER), undefined);
  });
});
