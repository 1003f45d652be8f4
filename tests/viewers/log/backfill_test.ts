import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { ArrowMsg } from "../../../lib/encoding/arrow_msg.ts";
import type { LogMsg } from "../../../lib/encoding/log_msg.ts";
import { Cursor, type Order } from "../../../lib/viewers/log/cursor.ts";
import { Memory } from "../../../lib/viewers/log/memory.ts";
import { ViewerLog } from "../../../lib/viewers/log/viewer_log.ts";
import { announcement, chunk, staticChunk } from "../messages.ts";
import { cases } from "../../counts.ts";

const MiB = 2 ** 20;
const all = () => true;

/** A log, and one viewer's place in it; how many it was never given is counted. */
class Scene {
  skipped = 0;
  readonly log: ViewerLog;
  #cursor: Cursor | undefined;

  constructor(limitBytes = 2 ** 30) {
    this.log = new ViewerLog(limitBytes, new Memory(), (item) => {
      const from = this.#cursor?.miss(item);
      if (from !== undefined) this.skipped += item.lastSeq - from + 1;
    });
  }

  get cursor(): Cursor {
    return this.#cursor!;
  }

  add(...msgs: LogMsg[]): void {
    this.log.add(msgs);
    this.log.trim();
  }

  join(order: Order = "viewer"): void {
    this.#cursor = new Cursor(this.log, order, true);
  }

  take(maxBytes = 1): string[] {
    return this.cursor.take(maxBytes, all).map(nameOf);
  }

  rest(maxBytes = 1): string[] {
    const given: string[] = [];
    for (let i = 0; !this.cursor.isAtEnd; i++) {
      assert(i < 20_000, "it does not end");
      given.push(...this.take(maxBytes));
    }
    return given;
  }
}

function nameOf(msg: LogMsg): string {
  if (msg.kind === "SetStoreInfo") return msg.info.storeId.id;
  const { timepointMax, chunkId } = msg as ArrowMsg;
  return `${timepointMax?.length ? "" : "static "}${chunkId!.inc}`;
}

/** Static data of its own recording, of about this size. */
function mesh(number: number, bytes: number): LogMsg {
  const { storeId, chunkId, arrow, encoded } = staticChunk(number, `rec ${number}`) as ArrowMsg;
  const sized = { header: encoded.header, bytes: new Uint8Array(bytes) };
  return new ArrowMsg(storeId, chunkId, [], undefined, arrow, sized);
}

function chunks(from: number, to: number, size: number): LogMsg[] {
  return Array.from({ length: to - from + 1 }, (_, i) => chunk(from + i, size));
}

describe("the newest first", () => {
  it("gives what explains the rest, what comes live, and history backwards where that leaves room", () => {
    const scene = new Scene();
    scene.add(announcement("rec"), staticChunk(1, "rec"), ...chunks(2, 5, 40_000));
    scene.join();
    assertEquals([...scene.take(), ...scene.take()], ["rec", "static 1"]);
    scene.add(...chunks(6, 7, 40_000));
    assertEquals([...scene.take(), ...scene.take(), ...scene.take()], ["6", "7", "5"]);
    scene.add(chunk(8, 40_000));
    assertEquals(scene.rest(), ["8", "4", "3", "2"]);
    scene.add(chunk(9, 40_000));
    assertEquals(scene.rest(), ["9"]);
    assertEquals(scene.skipped, 0);
  });

  it("gives static data of more than 1 MiB after the first picture, as half of what is sent", () => {
    const scene = new Scene();
    const small = Array.from({ length: 8 }, (_, i) => mesh(i + 1, 100_000));
    const large = Array.from({ length: 4 }, (_, i) => mesh(i + 11, 2 * MiB));
    scene.add(announcement("rec"), ...large, ...small, ...chunks(100, 120, 100_000));
    scene.join();
    const first = Array.from({ length: 9 }, () => scene.take()).flat();
    assertEquals(first, ["rec", ...Array.from({ length: 8 }, (_, i) => `static ${i + 1}`)]);
    const given: string[] = [];
    let at = 200;
    // More comes than it takes.
    for (let i = 0; i < 150; i++) {
      scene.add(chunk(at++, 100_000));
      given.push(...scene.take());
    }
    assertEquals(given[0], "200");
    const places = given.flatMap((name, i) => name.startsWith("static") ? [i] : []);
    assertEquals(places.map((i) => given[i]), ["static 11", "static 12", "static 13", "static 14"]);
    // As many bytes of pictures between them.
    for (const [i, place] of places.slice(1).entries()) {
      assert(place - places[i]! >= 20, `${place}`);
    }
    assert(given.every((name) => name.startsWith("static") || Number(name) >= 200));
    assertEquals(scene.rest().slice(-21), chunks(100, 120, 1000).map(nameOf).reverse());
  });

  it("shows the newest picture of a recording that stands still before much static data", () => {
    const scene = new Scene();
    scene.add(announcement("rec"), mesh(1, 2 * MiB), ...chunks(2, 9, 40_000));
    scene.join();
    assertEquals(scene.rest(), ["rec", "9", "static 1", "8", "7", "6", "5", "4", "3", "2"]);
  });

  it("gives static data that was replaced meanwhile once, as it is now", () => {
    const scene = new Scene();
    scene.add(mesh(1, 2 * MiB), mesh(2, 2 * MiB), chunk(3, 40_000));
    scene.join();
    assertEquals(scene.take(), ["3"]);
    scene.add(mesh(1, 2 * MiB + 1));
    assertEquals(scene.rest(), ["static 2", "static 1"]);
  });

  it("begins again where it missed static data, and goes on with history", () => {
    const scene = new Scene(4 * MiB);
    scene.add(announcement("rec"), staticChunk(1, "rec"), ...chunks(2, 4, 40_000));
    scene.join();
    assertEquals([scene.take(), scene.take(), scene.take()].flat(), ["rec", "static 1", "4"]);
    scene.add(staticChunk(50, "rec"), ...chunks(51, 60, 500_000), staticChunk(61, "rec"));
    scene.add(chunk(62, 500_000));
    const given = scene.rest();
    assertEquals(given.slice(0, 2), ["rec", "static 61"]);
    assertEquals(given.at(-1), "62");
    assert(scene.skipped > 2, `${scene.skipped}`);
  });

  it("gives or counts each message once, however it is trimmed and however little is taken", () => {
    const size = fc.oneof(fc.constant(300), fc.integer({ min: 33_000, max: 90_000 }));
    const isStatic = fc.integer({ min: 0, max: 9 }).map((n) => n === 0);
    const step = fc.record({
      ...{ size, isStatic, take: fc.nat(3) },
      bytes: fc.constantFrom(1, 50_000, 400_000),
    });
    const order = fc.constantFrom<Order>("viewer", "kinds", "arrival");
    const limits = fc.integer({ min: 2_000_000, max: 9_000_000 });
    const steps = fc.array(step, { minLength: 40, maxLength: 150 });
    fc.assert(
      fc.property(steps, order, limits, fc.nat(39), (steps, order, limitBytes, joinsAt) => {
        const scene = new Scene(limitBytes);
        const given: string[] = [];
        for (const [i, { size, isStatic, take, bytes }] of steps.entries()) {
          if (i === joinsAt) scene.join(order);
          // Each is of its own, so that none takes the place of another.
          scene.add(isStatic ? mesh(i + 1, 60_000) : chunk(i + 1, size));
          if (i < joinsAt) continue;
          for (let t = 0; t < take; t++) given.push(...scene.take(bytes));
        }
        given.push(...scene.rest(50_000));
        const evictedBefore = steps.length - given.length - scene.skipped;
        assert(evictedBefore >= 0, `${given.length} and ${scene.skipped} of ${steps.length}`);
        if (limitBytes > 4_000_000) assertEquals(evictedBefore, 0);
        assertEquals(new Set(given).size, given.length);
        // What came live is in its order.
        const live = given.filter((name) => Number(name) > joinsAt).map(Number);
        assertEquals(live, live.toSorted((a, b) => a - b));
        const past = given.filter((name) => Number(name) <= joinsAt);
        assert(past.length > 0 || scene.skipped > 0 || joinsAt < 6);
      }),
      { numRuns: cases(60, 15) },
    );
  });
});
