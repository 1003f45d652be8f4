import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { Cursor, type CursorPlace, DONE } from "../../lib/forward/cursor.ts";
import { memoryFiles } from "../../lib/adapters/files/memory_files.ts";
import { silentLog } from "../../lib/base/log.ts";
import { caseRandom } from "../random.ts";
import { keptLog } from "../sinks/messages.ts";

const OPTIONS = { path: "c.jsonl", log: silentLog, target: "fake://target" };

function place(number: number): CursorPlace {
  return { number, before: number + 1, offset: number * 100, isWhole: false };
}

describe("Cursor", () => {
  it("stays small, however much is acknowledged", async () => {
    const adapter = memoryFiles();
    const cursor = await Cursor.open({ ...OPTIONS, adapter, now: () => 0 });
    for (let i = 0; i < 10_000; i++) await cursor.note("a", place(i));
    await cursor.close();
    assert(adapter.read("c.jsonl")!.length < 200_000);
    const again = await Cursor.open({ ...OPTIONS, adapter, now: () => 0 });
    assertEquals(again.placeOf("a"), place(9999));
    assertEquals(again.target, "fake://target");
  });

  it("is written again with all places where somebody removed or renamed it", async () => {
    const adapter = memoryFiles();
    const cursor = await Cursor.open({ ...OPTIONS, adapter, now: () => 0 });
    await cursor.note("a", DONE);
    await adapter.remove("c.jsonl");
    await cursor.note("b", place(1));
    await adapter.rename("c.jsonl", "d.jsonl");
    await cursor.note("c", place(2));
    await cursor.close();
    const again = await Cursor.open({ ...OPTIONS, adapter, now: () => 0 });
    assertEquals(["a", "b", "c"].map((file) => again.placeOf(file)), [DONE, place(1), place(2)]);
  });

  it("never stands further than was acknowledged, wherever the disk fails or the program ends", async () => {
    for (let seed = 0; seed < 200; seed++) {
      const random = caseRandom(7, seed);
      let left = Math.floor(random() * 60);
      let isOver = false;
      const adapter = memoryFiles(({ kind, bytes }) => {
        if (isOver) throw new Error("ended");
        if (!["write", "sync", "rename", "create", "truncate"].includes(kind)) return;
        if (left-- > 0) return;
        isOver = random() < 0.5;
        left = Math.floor(random() * 20);
        if (kind === "write" && random() < 0.5) return Math.floor(random() * bytes!.length) + 1;
        throw new Error("no space");
      });
      let now = 0;
      const cursor = await Cursor.open({ ...OPTIONS, adapter, now: () => now += 300 });
      const acked = new Map<string, number>();
      for (let i = 0; i < 100 && !isOver; i++) {
        const file = `file ${Math.floor(random() * 3)}`;
        acked.set(file, i);
        const noted = cursor.note(file, i % 17 === 0 ? DONE : place(i));
        if (random() < 0.7) await noted;
      }
      isOver = false;
      left = Infinity;
      const again = await Cursor.open({ ...OPTIONS, adapter, now: () => 0 });
      for (const [file, last] of acked) {
        const found = again.placeOf(file);
        const number = found === DONE ? last : found.number;
        assert(number <= last, `seed ${seed}: ${file} stands at ${number} of ${last}`);
      }
    }
  });

  it("puts its name on the disk whenever it was written anew, and goes on where that can't be", async () => {
    const done: string[] = [];
    const adapter = memoryFiles(({ kind, path }) => {
      if (kind === "rename" || kind === "syncFolder") done.push(`${kind} ${path}`);
      if (kind === "syncFolder") throw new Error("not supported");
    });
    const { lines, ...log } = keptLog();
    const path = "rec/c.jsonl";
    const cursor = await Cursor.open({ ...OPTIONS, log, path, adapter, now: () => 0 });
    for (let i = 0; i < 2000; i++) await cursor.note("a", place(i));
    await cursor.close();
    const each = ["rename rec/c.jsonl.new", "syncFolder rec/"];
    assertEquals(done, [...each, ...each]);
    assertEquals(lines.map(([, text]) => text), [
      "New names in rec/ may not outlive a power cut: not supported",
    ]);
    assertEquals(cursor.failure, undefined);
  });

  it("takes no line whose checksum is another, or that was torn", async () => {
    const adapter = memoryFiles();
    const cursor = await Cursor.open({ ...OPTIONS, adapter, now: () => 0 });
    await cursor.note("a", place(1));
    await cursor.note("a", place(2));
    await cursor.close();
    const text = new TextDecoder().decode(adapter.read("c.jsonl"));
    for (const damaged of [text.replace('"number":2', '"number":9'), text.slice(0, -1)]) {
      const file = await adapter.create("c.jsonl", "replace");
      await file.write(new TextEncoder().encode(damaged));
      await file.close();
      const again = await Cursor.open({ ...OPTIONS, adapter, now: () => 0 });
      assertEquals(again.placeOf("a"), place(1));
    }
  });

  it("is written with the next acknowledgement where the disk failed before", async () => {
    let isFull = true;
    const adapter = memoryFiles(({ kind }) => {
      if (kind === "write" && isFull) throw new Error("no space");
    });
    const cursor = await Cursor.open({ ...OPTIONS, adapter, now: () => 0 });
    await cursor.note("a", DONE);
    await cursor.note("b", place(3));
    isFull = false;
    await cursor.note("b", place(4));
    await cursor.close();
    const again = await Cursor.open({ ...OPTIONS, adapter, now: () => 0 });
    assertEquals([again.placeOf("a"), again.placeOf("b")], [DONE, place(4)]);
  });
});
