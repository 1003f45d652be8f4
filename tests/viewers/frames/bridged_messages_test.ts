import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { BridgedMessages } from "../../../lib/viewers/frames/bridged_messages.ts";
import { chunk, chunkOf } from "../../bridge/chunks.ts";
import { concat } from "../../encoding/rrd_builder.ts";

const KiB = 1024;
const MiB = KiB * KiB;
const SCHEMA = chunk(["rerun.components.Scalar"]).ipc();

/** A chunk with so much data. */
const of = (bytes: number) => chunkOf(concat(SCHEMA, new Uint8Array(bytes)));

describe("messages in today's form, for several viewers", () => {
  it("are made once while they are kept, and anew after that", () => {
    const kept = new BridgedMessages(64 * MiB, () => 0);
    const [first, ...more] = Array.from({ length: 5000 }, () => of(10));
    const made = kept.get(first!);
    assert(kept.get(first!) === made);
    for (const msg of more) kept.get(msg);
    assert(kept.get(more.at(-1)!) === kept.get(more.at(-1)!));
    assert(kept.get(first!) !== made, "the oldest of 5,000 is dropped");
    assertEquals(kept.counts.bridged, 5001);
  });

  it("take no more than an eighth of the limit", () => {
    for (const bytes of [10, 10_000, 200 * KiB]) {
      const kept = new BridgedMessages(8 * MiB, () => 0);
      let most = 0;
      for (let i = 0; i < 500; i++) {
        const msg = of(bytes);
        kept.get(msg);
        assert(kept.bytes <= MiB, `${kept.bytes} bytes of ${bytes} each`);
        most = Math.max(most, kept.bytes);
      }
      assert(most > (bytes > 10 ? MiB / 2 : 0));
      kept.clear();
      assertEquals(kept.bytes, 0);
    }
  });

  it("take less where other things take what is left of the limit", () => {
    const kept = new BridgedMessages(64 * MiB, () => 64 * MiB);
    for (let i = 0; i < 100; i++) kept.get(of(100_000));
    assert(kept.bytes <= 2 * MiB && kept.bytes > MiB, `${kept.bytes}`);
  });

  it("tell what making them took: nothing for data that is shared", () => {
    let made = 0;
    const kept = new BridgedMessages(64 * MiB, () => 0, (bytes) => made += bytes);
    kept.get(of(MiB));
    assert(made < 4 * KiB, `${made}`);
    kept.get(of(20 * KiB));
    assert(made > 20 * KiB, `${made}`);
  });
});
