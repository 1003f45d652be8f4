import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { memoryFiles } from "../../../../lib/adapters/files/memory_files.ts";
import { notedFiles } from "../../../../lib/sinks/file/parts/noted_files.ts";

describe("notedFiles", () => {
  it("passes over an index that can't be read, or not to its end", async () => {
    const files = memoryFiles(({ kind, path }) => {
      if (kind === "open" && path.startsWith("d/secret")) throw new Error("Permission denied");
    });
    for (const name of ["secret", "torn", "good"]) {
      const line = JSON.stringify({ kind: "file", name: `${name}.rrd`, bytes: 1 });
      const file = await files.create(`d/${name}.rrd.index.jsonl`, "new");
      await file.write(new TextEncoder().encode(`${line}\n`));
    }
    const breaksOff = async function* () {
      yield files.read("d/torn.rrd.index.jsonl")!;
      await Promise.reject(new Error("Input/output error"));
    };
    const open = (path: string) =>
      path.includes("torn") ? Promise.resolve(ReadableStream.from(breaksOff())) : files.open(path);
    const noted = await notedFiles("d/", { ...files, open });
    assertEquals([...noted.keys()], ["good.rrd"]);
  });
});
