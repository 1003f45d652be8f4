import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { memoryFiles } from "../../../../lib/adapters/files/memory_files.ts";
import { IndexFile } from "../../../../lib/sinks/file/parts/_index_file.ts";
import type { IndexLine } from "../../../../lib/sinks/file/parts/_index_line.ts";

function line(name: string): IndexLine {
  return { kind: "removed", name };
}

describe("IndexFile", () => {
  it("writes one line after the other, whatever is synced meanwhile", async () => {
    let [underWay, most] = [0, 0];
    const files = memoryFiles(async ({ kind }) => {
      if (kind !== "write" && kind !== "sync") return;
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setTimeout(resolve, 1));
      underWay--;
    });
    const file = new IndexFile("a", files, files);
    const work: Promise<void>[] = [];
    for (let i = 0; i < 20; i++) {
      work.push(file.write(line(String(i))), file.sync());
      await Promise.resolve();
      work.push(file.write(line(`${i} again`)));
      if (i % 3 === 0) await work.at(-1 - i % 2);
    }
    await Promise.all(work);
    await file.close();
    assertEquals(most, 1);
    const names = (await Array.fromAsync(new IndexFile("a", files).lines()))
      .map((line) => line.kind === "removed" ? line.name : line.kind);
    assertEquals(names.length, 40);
  });

  it("syncs what was written before, however many ask at one time", async () => {
    const files = memoryFiles();
    const file = new IndexFile("a", files, files);
    await Promise.all(["a", "b", "c"].map(async (name) => {
      await file.write(line(name));
      await file.sync();
      const synced = new TextDecoder().decode(files.readSynced("a"));
      assertEquals(synced.includes(`"${name}"`), true);
    }));
    await file.close();
  });
});
