import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { memoryFiles } from "../../../../lib/adapters/files/memory_files.ts";
import { INDEX_SUFFIX } from "../../../../lib/sinks/file/parts/part_index.ts";
import { indexedFiles } from "../../../../lib/sinks/file/parts/read_index.ts";

const PATTERN = { folder: "", name: "{part}.rrd" };

async function read(lines: readonly object[]) {
  const files = memoryFiles();
  const file = await files.create(PATTERN.name + INDEX_SUFFIX, "new");
  const text = lines.map((line) => JSON.stringify(line)).join("\n");
  await file.write(new TextEncoder().encode(`${text}\n`));
  return await indexedFiles(PATTERN, files);
}

const file = (id: string, name: string) => ({ kind: "file", id, name, state: "closed", bytes: 1 });
const removed = (name: string, id?: string) => ({ kind: "removed", name, ...(id && { id }) });

describe("indexedFiles", () => {
  it("gives the files that were not removed, by id, or by the name that each had last", async () => {
    const found = await read([
      ...[file("1", "a"), file("2", "b"), removed("a"), file("3", "a"), file("4", "c")],
      ...[removed("never there"), file("2", "d"), removed("c", "4"), file("5", "e"), removed("e")],
    ]);
    assertEquals(found.map(({ id, name }) => [id, name]), [["2", "d"], ["3", "a"]]);
  });

  it("takes no longer for each line where there are many", async () => {
    const names = Array.from({ length: 100_000 }, (_, i) => `${i}.rrd`);
    const start = performance.now();
    const found = await read([
      ...names.map((name) => file(`id ${name}`, name)),
      ...names.slice(1).reverse().map((name) => removed(name)),
    ]);
    assertEquals(found.map(({ name }) => name), ["0.rrd"]);
    // A look at all files for each removal takes a minute and more.
    assert(performance.now() - start < 20_000);
  });
});
