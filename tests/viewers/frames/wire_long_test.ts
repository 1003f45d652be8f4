import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import type { LogMsg } from "../../../lib/encoding/log_msg.ts";
import type { SharedFrames, ViewerHub } from "../../../lib/viewers/types.ts";
import { concat } from "../../encoding/rrd_builder.ts";
import { announcement, captured, chunk, madeHub, smart, staticChunk } from "../messages.ts";
import { payloads } from "../payloads.ts";

const MiB = 2 ** 20;

/** The same numbers each time. */
function lcg(seed: number): () => number {
  return () => (seed = (seed * 1664525 + 1013904223) % 2 ** 32) / 2 ** 32;
}

/** A viewer whose socket is as slow as the test says. */
class SlowViewer {
  readonly viewer;
  readonly got: Uint8Array[] = [];
  readonly #written: { frames: SharedFrames; was: Uint8Array }[] = [];
  #next: Promise<void> | undefined;

  constructor(hub: ViewerHub, history: "all" | "none" = "all") {
    this.viewer = hub.join({ history });
  }

  /** Asks for more, if it does not wait for some. */
  ask(maxBytes: number): void {
    this.#next ??= this.viewer.nextFrames(maxBytes).then((frames) => {
      this.#next = undefined;
      if (frames === undefined) return;
      const was = concat(...frames.pieces);
      const each = payloads(was);
      assertEquals([each.length, was.length], [frames.messages, frames.bytes]);
      this.got.push(...each);
      this.#written.push({ frames, was });
    });
  }

  /** What was given longest ago has been written: until now nobody may have changed it. */
  write(): void {
    const first = this.#written.shift();
    if (first === undefined) return;
    assertEquals(concat(...first.frames.pieces), first.was);
    first.frames.done();
  }
}

function framesOf(hub: ViewerHub, msgs: readonly LogMsg[]): Uint8Array[] {
  return msgs.map((msg) => hub.frame(msg)).filter((frame) => typeof frame !== "string");
}

const turn = () => new Promise<void>((resolve) => setTimeout(resolve));

describe("frames that viewers share", () => {
  for (const seed of [1, 2]) {
    it(`come whole, in order and unchanged, however slow viewers are (${seed})`, async () => {
      const random = lcg(seed);
      const hub = madeHub({ limitBytes: 32 * MiB });
      const msgs: LogMsg[] = [announcement("rec"), ...captured("0.22.1-mixed")];
      hub.write(msgs.map((msg) => smart(msg)));
      const viewers = [0, 0.02, 0.1, 0.5, 1].map((pace) => ({ pace, viewer: new SlowViewer(hub) }));
      const all = viewers.map(({ viewer }) => viewer);
      let id = 0;
      for (let round = 0; round < 250; round++) {
        const batch = Array.from({ length: Math.floor(random() * 8) }, () => {
          const kind = random();
          if (kind < 0.02) return announcement(`rec ${id++}`);
          if (kind < 0.04) return staticChunk(id++, "rec");
          return chunk(id++, kind < 0.1 ? 40_000 + random() * 40_000 : random() * 9000);
        });
        msgs.push(...batch);
        hub.write(batch.map((msg) => smart(msg)));
        for (const { pace, viewer } of viewers) {
          if (random() < pace) viewer.ask(random() * 400_000);
          if (random() < pace) viewer.write();
        }
        if (round % 10 === 0) await turn();
      }
      for (let i = 0; i < 2000 && all.some(({ got }) => got.length < msgs.length); i++) {
        for (const viewer of all) {
          viewer.ask(256 * 1024);
          viewer.write();
        }
        await turn();
      }
      assertEquals(hub.stats.history.evicted.messages, 0);
      const expected = framesOf(hub, msgs);
      // History comes with what explains it first.
      const key = (frame: Uint8Array) => new TextDecoder("latin1").decode(frame);
      const sorted = (frames: readonly Uint8Array[]) => frames.map(key).sort();
      for (const { got } of all) {
        assertEquals(got.length, expected.length);
        assertEquals(sorted(got), sorted(expected));
      }
      assertEquals(hub.stats.viewers.map(({ backlog }) => backlog.messages), all.map(() => 0));
      const late = expected.slice(-100).map(key);
      assertEquals(all.at(-1)!.got.slice(-100).map(key), late);
      for (const viewer of all) for (let i = 0; i < 100; i++) viewer.write();
      await hub.close();
    });
  }

  it("are the same memory for all, and are let go of", async () => {
    const hub = madeHub();
    const viewers = [new SlowViewer(hub, "none"), new SlowViewer(hub, "none")] as const;
    for (const viewer of viewers) viewer.ask(MiB);
    await turn();
    const empty = hub.stats.heldBytes;
    hub.write([smart(chunk(1, 100_000))]);
    // The message once, and nothing for its frames.
    assert(hub.stats.heldBytes - empty < 110_000, `${hub.stats.heldBytes - empty}`);
    await turn();
    for (const viewer of viewers) viewer.write();
    for (const { viewer } of viewers) viewer.close("left");
    hub.write([smart(chunk(2, 100))]);
    assert(hub.stats.heldBytes - empty < 110_000 + 3000, `${hub.stats.heldBytes - empty}`);
  });

  it("leave out what no frame is made of, though nothing else comes", async () => {
    const hub = madeHub();
    const viewer = new SlowViewer(hub);
    viewer.ask(1000);
    await turn();
    const unknown = (): LogMsg => ({
      kind: "UnknownMsg",
      name: "Later",
      encoded: chunk(1, 10).encoded,
    });
    hub.write([smart(unknown())]);
    await turn();
    assertEquals([viewer.got.length, hub.stats.viewers[0]!.backlog.messages], [0, 0]);
    hub.write([smart(unknown()), smart(chunk(2, 10))]);
    await turn();
    assertEquals(viewer.got, framesOf(hub, [chunk(2, 10)]));
    assertEquals(hub.stats.leftOut.unknownKind, 2);
  });
});
