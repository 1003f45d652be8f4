/** What is in the recordings of a folder, and whether all of it was forwarded. */
import { createReadStream } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { RrdScanner } from "../../lib/encoding/rrd/scanner.ts";
import { Ranges } from "../../lib/sinks/file/parts/_ranges.ts";
import type { IndexLine } from "../../lib/sinks/file/parts/_index_line.ts";
import { told } from "../forward/chunks.ts";

export interface BoxFolder {
  readonly folder: string;
  readonly pattern: string;
}

/** What the index says of each file, in the order in which they were begun. */
async function filesOf({ folder, pattern }: BoxFolder) {
  const files = new Map<string, Extract<IndexLine, { kind: "file" }>>();
  const repeats = new Map<string, Ranges>();
  const text = await readFile(join(folder, `${pattern}.index.jsonl`), "utf8").catch(() => "");
  for (const json of text.split("\n")) {
    if (json === "") continue;
    let line: IndexLine;
    try {
      line = JSON.parse(json);
    } catch {
      continue; // torn
    }
    if (line.kind === "file") files.set(line.id, line);
    if (line.kind === "removed") files.delete(line.id ?? "");
    if (line.kind !== "repeats") continue;
    const ranges = repeats.get(line.id) ?? new Ranges();
    repeats.set(line.id, ranges);
    ranges.add(line.at, line.count);
  }
  return [...files.values()].map((file) => ({ file, repeats: repeats.get(file.id) }));
}

/** Whether all files are closed, and the cursor says that each was acknowledged. */
export async function isForwarded(box: BoxFolder): Promise<boolean> {
  const names = await readdir(box.folder);
  const cursor = names.find((name) => name.startsWith(`${box.pattern}.forward-`));
  if (cursor === undefined) return false;
  const done = await readFile(join(box.folder, cursor), "utf8");
  const files = await filesOf(box);
  return files.length > 0 &&
    files.every(({ file }) =>
      file.state === "closed" && done.includes(`{"file":"${file.id}","done":true}`)
    );
}

/** What the chunks of each recording tell, in order, without what parts begin with. */
export async function contentOf(box: BoxFolder): Promise<Map<string, string[]>> {
  const content = new Map<string, string[]>();
  for (const { file: { name }, repeats } of await filesOf(box)) {
    const scanner = new RrdScanner();
    let before = 0;
    for await (const bytes of Readable.toWeb(createReadStream(join(box.folder, name)))) {
      const { items, error } = scanner.push(bytes as Uint8Array);
      if (error !== undefined) throw new Error(`${name}: ${error}`);
      for (const part of items) {
        if (part.kind !== "message") continue;
        const text = told(part.msg);
        if (!repeats?.has(before++) && text !== undefined) {
          const recording = text.split(" ")[0]!;
          const list = content.get(recording) ?? [];
          content.set(recording, list);
          list.push(text);
        }
      }
    }
  }
  return content;
}
