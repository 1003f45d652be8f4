/** Footers made and read, for tests. */
import { type Table, tableFromIPC } from "apache-arrow";
import { memoryFiles } from "../../lib/adapters/files/memory_files.ts";
import type { StoredManifest } from "../../lib/chunk_index/stored_footer.ts";
import { readFooter } from "../../lib/chunk_index/stored_footer.ts";
import { type IndexedFile, indexFile, type WalkOptions } from "../../lib/chunk_index/walk_file.ts";
import { concat } from "../encoding/rrd_builder.ts";

/** Indexes bytes as if they were a file. */
export async function indexBytes(bytes: Uint8Array, options?: WalkOptions): Promise<IndexedFile> {
  const files = memoryFiles();
  const file = await files.create("a.rrd", "new");
  await file.write(bytes);
  return await indexFile(await files.openAt("a.rrd"), options);
}

/** The bytes of a file, with a footer of ours in place of what ends it. */
export async function withFooter(bytes: Uint8Array): Promise<Uint8Array> {
  const { footer, messagesEnd } = await indexBytes(bytes);
  const { header, rest } = footer.endAt(messagesEnd);
  return concat(bytes.subarray(0, messagesEnd), header, ...rest);
}

/** The footer at the end of a file, without its trailer. */
export function footerOf(file: Uint8Array): Uint8Array {
  const view = new DataView(file.buffer, file.byteOffset + file.length - 32, 16);
  const start = Number(view.getBigUint64(0, true));
  return file.subarray(start, start + Number(view.getBigUint64(8, true)));
}

/** All that a footer says, column by column, with texts in place of what can't be compared. */
export function described(footer: Uint8Array): unknown[] {
  return readFooter(footer).map((manifest) => describeManifest(manifest));
}

function describeManifest({ storeId, schema, sha256, table }: StoredManifest): unknown {
  return {
    storeId,
    sha256: hex(sha256),
    // Rerun's own is in any order.
    schema: describeTable(tableFromIPC(new Uint8Array(schema))).sort((a, b) =>
      a.name < b.name ? -1 : 1
    ),
    columns: describeTable(tableFromIPC(new Uint8Array(table))),
  };
}

function describeTable(table: Table) {
  return table.schema.fields.map((field, i) => ({
    name: field.name,
    type: String(field.type),
    nullable: field.nullable,
    metadata: Object.fromEntries([...field.metadata].sort()),
    values: Array.from({ length: table.numRows }, (_, row) => {
      const value: unknown = table.getChildAt(i)!.get(row);
      return value instanceof Uint8Array ? hex(value) : value === null ? null : String(value);
    }),
  }));
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
