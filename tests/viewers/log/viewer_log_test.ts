import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { MESSAGE_OVERHEAD_BYTES } from "../../../lib/flow/channel/pinned_bytes.ts";
import { RrdDecoder } from "../../../lib/encoding/rrd/rrd_decoder.ts";
import type { LogMsg } from "../../../lib/encoding/log_msg.ts";
import { fixture } from "../../fixtures.ts";
import { announcement, chunk, madeHub, smart, staticChunk, taken } from "../messages.ts";

/** What a message is to the plain model below. */
type Kind = { is: "info" } | { is: "static"; of: number } | { is: "chunk"; size: number };

const KIND: fc.Arbitrary<Kind> = fc.oneof(
  { weight: 1, arbitrary: fc.constant<Kind>({ is: "info" }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant("static" as const), of: fc.nat(2) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      is: fc.constant("chunk" as const),
      size: fc.integer({ min: 40_000, max: 90_000 }),
    }),
  },
);

function messageOf(kind: Kind, number: number): LogMsg {
  if (kind.is === "info") return announcement(`rec ${number}`);
  return kind.is === "static" ? staticChunk(number, `rec ${kind.of}`) : chunk(number, kind.size);
}

function heldBytes(msg: LogMsg): number {
  return MESSAGE_OVERHEAD_BYTES + msg.encoded.bytes.length;
}

/** The rules in their plainest form: all messages in one array, looked through again each time. */
class Model {
  kept: { msg: LogMsg; kind: Kind; number: number }[] = [];

  constructor(readonly limitBytes: number) {}

  add(kind: Kind, number: number): void {
    this.kept.push({ msg: messageOf(kind, number), kind, number });
    while (this.bytes > this.limitBytes) {
      const i = this.kept.findIndex((entry) => !this.#isProtected(entry));
      if (i < 0) break;
      this.kept.splice(i, 1);
    }
  }

  get bytes(): number {
    return this.kept.reduce((sum, { msg }) => sum + heldBytes(msg), 0);
  }

  /** In the order of a late viewer. */
  get order(): number[] {
    const infos = this.kept.filter(({ kind }) => kind.is === "info");
    const others = this.kept.filter(({ kind }) => kind.is !== "info");
    return [...infos, ...others].map(({ number }) => number);
  }

  #isProtected({ kind, number }: { kind: Kind; number: number }): boolean {
    if (kind.is === "chunk") return false;
    return kind.is === "info" ||
      !this.kept.some((o) => o.kind.is === "static" && o.kind.of === kind.of && o.number > number);
  }
}

function numberOf(msg: LogMsg): number {
  if (msg.kind === "ArrowMsg") return Number(msg.chunkId!.inc);
  return msg.kind === "SetStoreInfo" ? Number(msg.info.storeId.id.slice(4)) : NaN;
}

describe("history", () => {
  it("is what a plain model of its rules keeps, byte by byte", async () => {
    const inputs = fc.array(KIND, { minLength: 1, maxLength: 200 });
    // Above what can be protected: 200 announcements and three static chunks.
    const limits = fc.integer({ min: 280_000, max: 2_000_000 });
    await fc.assert(
      fc.asyncProperty(inputs, limits, async (kinds, limitBytes) => {
        const hub = madeHub({ limitBytes });
        const model = new Model(limitBytes);
        for (const [i, kind] of kinds.entries()) {
          hub.write([smart(messageOf(kind, i + 1))]);
          model.add(kind, i + 1);
          assertEquals(hub.stats.heldBytes, model.bytes);
        }
        assertEquals((await taken(hub.join())).map(numberOf), model.order);
      }),
      { numRuns: 25 },
    );
  });

  it("of small chunks is the newest of them, and nearly as much as fits", async () => {
    const sizes = fc.array(fc.integer({ min: 100, max: 20_000 }), { minLength: 1, maxLength: 40 });
    const batches = fc.array(sizes, { minLength: 1, maxLength: 12 });
    const limits = fc.integer({ min: 300_000, max: 2_000_000 });
    await fc.assert(
      fc.asyncProperty(batches, limits, async (sizes, limitBytes) => {
        const hub = madeHub({ limitBytes });
        let number = 0;
        for (const batch of sizes) {
          hub.write(batch.map((size) => smart(chunk(++number, size))));
          assert(hub.stats.heldBytes <= limitBytes);
        }
        const kept = (await taken(hub.join())).map(numberOf);
        const all = Array.from({ length: number }, (_, i) => i + 1);
        assertEquals(kept, all.slice(number - kept.length));
        const { bytes, evicted } = hub.stats.history;
        // Below the limit nothing is dropped, and above it no more than one slab too much.
        const whole = bytes + evicted.bytes + number * MESSAGE_OVERHEAD_BYTES;
        if (whole <= limitBytes) assertEquals(evicted.messages, 0);
        if (evicted.messages > 0) assert(hub.stats.heldBytes > limitBytes - 300_000);
        else assertEquals(kept.length, number);
      }),
      { numRuns: 25 },
    );
  });

  it("of small chunks is given as it was, whatever comes after", async () => {
    const hub = madeHub();
    const first = [1, 2, 3].map((i) => chunk(i, 500));
    hub.write(first.map((msg) => smart(msg)));
    const given = await taken(hub.join());
    // Enough for several slabs.
    for (let i = 0; i < 100; i++) hub.write([smart(chunk(i, 20_000))]);
    assertEquals(given.map(({ encoded }) => encoded.bytes), first.map((m) => m.encoded.bytes));
  });

  it("of single small chunks takes no more memory than they do", () => {
    const hub = madeHub({ limitBytes: 2 ** 30 });
    for (let i = 0; i < 2000; i++) {
      // Static data comes between, which ends a slab.
      const msg = i % 97 === 0 ? staticChunk(i, "rec") : chunk(i, 1000);
      hub.write([smart(msg)]);
    }
    const { heldBytes, history } = hub.stats;
    assertEquals(history.messages, 2000);
    assert(heldBytes >= history.bytes);
    assert(heldBytes < history.bytes + 100 * MESSAGE_OVERHEAD_BYTES, `${heldBytes}`);
  });

  it("gives every viewer the same in the end, whenever it joins and however slowly it takes", async () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({ add: KIND }),
        fc.record({ join: fc.constant(true) }),
        fc.record({ take: fc.nat(4), bytes: fc.integer({ min: 1, max: 20_000 }) }),
      ),
      { minLength: 5, maxLength: 120 },
    );
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const hub = madeHub();
        const viewers: { viewer: ReturnType<typeof hub.join>; given: number[] }[] = [];
        let added = 0;
        for (const step of all) {
          if ("add" in step) hub.write([smart(messageOf(step.add, ++added))]);
          else if ("join" in step) viewers.push({ viewer: hub.join(), given: [] });
          else {
            const one = viewers[step.take];
            const { messages } = hub.stats.viewers[step.take]?.backlog ?? { messages: 0 };
            // One that has nothing to take would wait.
            if (one === undefined || (one.viewer.caughtUp && messages === 0)) continue;
            if (added > one.given.length) {
              one.given.push(...(await one.viewer.next(step.bytes) ?? []).map(numberOf));
            }
          }
        }
        for (const { viewer, given } of viewers) given.push(...(await taken(viewer)).map(numberOf));
        for (const { given } of viewers) {
          assertEquals(given.length, added);
          assertEquals(new Set(given).size, added);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("stays quick with a long history of static data that is replaced", () => {
    const hub = madeHub({ limitBytes: 8_000_000 });
    // Each step must not look through all: 8,000² would take half a minute.
    for (let i = 0; i < 8000; i++) hub.write([smart(staticChunk(i, `rec ${i % 500}`))]);
    assert(hub.stats.history.evicted.messages > 1000);
    assertEquals(hub.stats.history.evictedProtected.messages, 0);
  });
});

describe("the history of tables", () => {
  for (const version of ["0.11.0", "0.15.1", "0.16.1"]) {
    it(`spares those of SDK ${version} that have a static row among others`, async () => {
      const messages = new RrdDecoder().push(fixture(`tables/${version}-static-row.rrd`)).items;
      const table = messages.at(-1)!;
      const hub = madeHub({ limitBytes: 200_000 });
      hub.write(messages.map((msg) => smart(msg)));
      for (let i = 0; i < 20; i++) hub.write([smart(chunk(i, 30_000))]);
      assert(hub.stats.history.evicted.messages > 10);
      const given = await taken(hub.join());
      assertEquals(
        given.filter(({ kind }) => kind === "ArrowMsg")[0]!.encoded.bytes,
        table.encoded.bytes,
      );
    });
  }
});
