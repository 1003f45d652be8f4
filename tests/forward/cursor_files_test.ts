import { describe, it } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import { memoryFiles } from "../../lib/adapters/files/memory_files.ts";
import { silentLog } from "../../lib/base/log.ts";
import { Cursor } from "../../lib/forward/cursor.ts";
import { cursorStatus, resetCursors } from "../../lib/forward/cursor_files.ts";

const PATTERN = { folder: "", name: "{part}.rrd" };

describe("resetCursors", () => {
  it("says so where the disk takes nothing, and leaves the cursor as it was", async () => {
    let isFull = false;
    const adapter = memoryFiles(({ kind }) => {
      if (isFull && (kind === "create" || kind === "write")) throw new Error("no space left");
    });
    const index = await adapter.create("{part}.rrd.index.jsonl", "new");
    const line = { kind: "file", id: "f", name: "0001.rrd", bytes: 100, state: "closed" };
    await index.write(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
    const path = "{part}.rrd.forward-fake-00000000.jsonl";
    const cursor = await Cursor.open({
      ...{ path, adapter, log: silentLog, now: () => 0, target: "fake://target" },
    });
    cursor.begin();
    await cursor.close();
    const options = { pattern: PATTERN, adapter };
    const waiting = async () => (await cursorStatus(options)).map((all) => all.waitingFiles);
    isFull = true;
    await assertRejects(() => resetCursors(options, "now"), Error, "no space left");
    assertEquals(await waiting(), [1]);
    isFull = false;
    assertEquals(await resetCursors(options, "now"), ["fake://target"]);
    assertEquals(await waiting(), [0]);
  });
});
