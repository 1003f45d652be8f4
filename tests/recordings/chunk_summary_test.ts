import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { readSchema, rerunTag } from "../../lib/encoding/arrow/arrow_ipc.ts";
import type { ArrowMsg } from "../../lib/encoding/arrow_msg.ts";
import { type ChunkTimeline, summarize } from "../../lib/recordings/chunk_summary.ts";
import { RECORDINGS, scan } from "./inputs.ts";

/** The same by apache-arrow, which decodes all of it. */
async function reference(msg: ArrowMsg) {
  const { fields } = readSchema(msg.ipc());
  const table = await msg.table();
  const timelines = fields.flatMap((field, i): ChunkTimeline[] => {
    const kind = rerunTag(field.metadata, "kind");
    if (kind !== "time" && kind !== "index") return [];
    const values: bigint[] = [];
    for (const data of table.getChildAt(i)!.data) {
      for (let row = 0; row < data.length; row++) {
        if (data.getValid(row)) values.push(data.values[row]);
      }
    }
    if (values.length === 0) return [];
    const [min, max] = [values.reduce(least), values.reduce((a, b) => a > b ? a : b)];
    const name = rerunTag(field.metadata, "index_name") ?? field.name;
    return [{ name, type: field.type, min, max }];
  });
  return { rows: table.numRows, timelines };
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

describe("summarize", () => {
  for (const [name, bytes] of RECORDINGS) {
    it(`finds rows and times of ${name} as apache-arrow does`, async () => {
      let chunks = 0;
      for (const part of scan([bytes]).parts) {
        if (part.kind !== "message" || part.msg.kind !== "ArrowMsg") continue;
        const { rows, timelines } = summarize(part.msg);
        assertEquals({ rows, timelines }, await reference(part.msg));
        chunks++;
      }
      assert(chunks > 0);
    });
  }
});
