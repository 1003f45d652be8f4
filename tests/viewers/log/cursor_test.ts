import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import type { LogMsg } from "../../../lib/encoding/log_msg.ts";
import { Cursor, type Order } from "../../../lib/viewers/log/cursor.ts";
import { Memory } from "../../../lib/viewers/log/memory.ts";
import { ViewerLog } from "../../../lib/viewers/log/viewer_log.ts";
import { announcement, captured, chunk, staticChunk } from "../messages.ts";

/** A log whose limit trims it, and cursors that are told of what goes. */
class Trimmed {
  readonly skipped = new Map<Cursor, number>();
  readonly log: ViewerLog;

  constructor(limitBytes = 2 ** 30) {
    this.log = new ViewerLog(limitBytes, new Memory(), (item) => {
      for (const [cursor, count] of this.skipped) {
        const from = cursor.miss(item);
        if (from !== undefined) this.skipped.set(cursor, count + item.lastSeq - from + 1);
      }
    });
  }

  join(order?: Order): Cursor {
    const cursor = new Cursor(this.log, order);
    this.skipped.set(cursor, 0);
    return cursor;
  }

  add(...msgs: LogMsg[]): void {
    this.log.add(msgs);
    this.log.trim();
  }
}

const all = () => true;

function names(msgs: readonly LogMsg[]): string[] {
  return msgs.map((msg) => {
    if (msg.kind === "SetStoreInfo") return msg.info.storeId.id;
    const { timepointMax, chunkId } = msg as LogMsg & { kind: "ArrowMsg" };
    return `${timepointMax?.length ? "" : "static "}${chunkId!.inc}`;
  });
}

function rest(cursor: Cursor, maxBytes = 2 ** 20): string[] {
  const given: string[] = [];
  for (let i = 0; !cursor.isAtEnd; i++) {
    assert(i < 10_000, "it does not end");
    given.push(...names(cursor.take(maxBytes, all)));
  }
  return given;
}

describe("a cursor in the log", () => {
  it("skips to the oldest kept where the log was trimmed past it, and nothing else is lost", () => {
    const trimmed = new Trimmed(1_000_000);
    const cursor = trimmed.join("arrival");
    for (let i = 1; i <= 5; i++) trimmed.add(chunk(i, 100_000));
    assertEquals(names(cursor.take(1, all)), ["1"]);
    for (let i = 6; i <= 20; i++) trimmed.add(chunk(i, 100_000));
    const kept = trimmed.log.kept.messages;
    assertEquals(rest(cursor), Array.from({ length: kept }, (_, i) => `${21 - kept + i}`));
    assertEquals(trimmed.skipped.get(cursor), 20 - 1 - kept);
  });

  it("is given the preamble and static data again where it missed static data", () => {
    const trimmed = new Trimmed(1_000_000);
    const cursor = trimmed.join("viewer");
    trimmed.add(announcement("rec"), staticChunk(1, "rec"));
    assertEquals(names(cursor.take(1, all)), ["rec"]);
    for (let i = 2; i <= 12; i++) trimmed.add(chunk(i, 100_000));
    // What replaces it comes later than chunks that are kept, and are nothing without it.
    trimmed.add(staticChunk(13, "rec"));
    for (let i = 14; i <= 16; i++) trimmed.add(chunk(i, 100_000));
    const given = rest(cursor, 1);
    assertEquals(given.slice(0, 2), ["rec", "static 13"]);
    assertEquals(given.at(-1), "16");
    assertEquals(given.filter((name) => name === "static 13").length, 1);
    assert(Number(given[2]) > 2 && Number(given[2]) < 12, given[2]);
  });

  it("goes on though static data is replaced quicker than it takes any", () => {
    const trimmed = new Trimmed(500_000);
    const cursor = trimmed.join("viewer");
    trimmed.add(...Array.from({ length: 40 }, (_, i) => announcement(`rec ${i}`)));
    const given: string[] = [];
    for (let i = 1; i < 400; i++) {
      trimmed.add(staticChunk(i, "rec"), chunk(1000 + i, 60_000));
      // More comes than it takes.
      if (i % 2 > 0) given.push(...names(cursor.take(70_000, all)));
    }
    const chunks = given.filter((name) => Number(name) > 1000).map(Number);
    assert(chunks.length > 3, `${chunks.length}`);
    assertEquals(chunks, chunks.toSorted((a, b) => a - b));
    assertEquals(rest(cursor).at(-1), "1399");
  });

  it("is given nothing of what came before it, where it starts at now", () => {
    const trimmed = new Trimmed(1_000_000);
    trimmed.add(announcement("old"), staticChunk(1, "old"));
    const cursor = trimmed.join();
    assert(cursor.isAtEnd);
    trimmed.add(staticChunk(2, "rec"), chunk(3, 100));
    // Also where it begins again.
    for (let i = 4; i <= 20; i++) trimmed.add(staticChunk(i, "rec"), chunk(100 + i, 100_000));
    const given = rest(cursor);
    assert(!given.includes("old") && !given.includes("static 1"), given.join());
    assertEquals(given[0], "static 20");
  });

  it("is given activations behind the data of blueprints: viewers copy these as they are then", () => {
    const msgs = captured("0.22.1-blueprint");
    for (const order of ["viewer", "kinds"] as const) {
      for (const isNewestFirst of [false, true]) {
        const trimmed = new Trimmed();
        trimmed.add(...msgs);
        const cursor = new Cursor(trimmed.log, order, isNewestFirst);
        const given: LogMsg[] = [];
        while (!cursor.isAtEnd) given.push(...cursor.take(1, all));
        assertEquals(given.length, msgs.length);
        const activation = given.findIndex(({ kind }) => kind === "BlueprintActivationCommand");
        const isData = (msg: LogMsg, ofStore: string) =>
          msg.kind === "ArrowMsg" && msg.storeId.kind === ofStore;
        const before = given.slice(0, activation);
        assertEquals(
          before.filter((msg) => isData(msg, "Blueprint")).length,
          msgs.filter((msg) => isData(msg, "Blueprint")).length,
        );
        assert(!before.some((msg) => isData(msg, "Recording")));
      }
    }
  });

  it("ends at a place, within a slab too", () => {
    const trimmed = new Trimmed();
    const slab = Array.from({ length: 9 }, (_, i) => chunk(i + 1, 200));
    trimmed.add(...slab);
    const cursor = trimmed.join("arrival");
    assertEquals(names(cursor.take(2 ** 20, all, 4)), ["1", "2", "3", "4"]);
    assertEquals(cursor.at, 4);
    assertEquals(names(cursor.take(2 ** 20, all)), ["5", "6", "7", "8", "9"]);
  });

  it("gives or counts each message, however it is trimmed and however little is taken", () => {
    const size = fc.oneof(fc.constant(300), fc.integer({ min: 33_000, max: 90_000 }));
    const step = fc.record({ size, take: fc.nat(2), bytes: fc.constantFrom(1, 50_000, 400_000) });
    const order = fc.constantFrom<Order>("viewer", "kinds", "arrival");
    const limits = fc.integer({ min: 300_000, max: 3_000_000 });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150 }), order, limits, (steps, order, limitBytes) => {
        const trimmed = new Trimmed(limitBytes);
        const cursor = trimmed.join(order);
        const given: string[] = [];
        for (const [i, { size, take, bytes }] of steps.entries()) {
          trimmed.add(chunk(i + 1, size));
          for (let t = 0; t < take; t++) given.push(...names(cursor.take(bytes, all)));
        }
        given.push(...rest(cursor));
        assertEquals(given.length + trimmed.skipped.get(cursor)!, steps.length);
        assertEquals(given.map(Number), given.map(Number).toSorted((a, b) => a - b));
        assertEquals(new Set(given).size, given.length);
      }),
      { numRuns: 60 },
    );
  });

  it("knows what is behind a place", () => {
    const trimmed = new Trimmed();
    const msgs = [chunk(1, 200), chunk(2, 300), chunk(3, 50_000), chunk(4, 400)];
    trimmed.add(...msgs);
    const sizes = msgs.map(({ encoded }) => encoded.bytes.length);
    for (let seq = 0; seq <= 4; seq++) {
      const behind = sizes.slice(seq);
      assertEquals(trimmed.log.after(seq), {
        messages: behind.length,
        bytes: behind.reduce((sum, bytes) => sum + bytes, 0),
      });
    }
  });
});
