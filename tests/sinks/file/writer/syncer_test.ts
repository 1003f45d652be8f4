import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { Syncer, type SyncMode } from "../../../../lib/sinks/file/writer/syncer.ts";

/** A syncer whose clock and files the test moves. */
function synced(mode: SyncMode = "interval") {
  let nowMs = 0;
  let waits: { ms: number; callback: () => void }[] = [];
  const syncs: { end: () => void }[] = [];
  const files = {
    isSynced: true,
    gatherMs: 0,
    sync() {
      const { promise, resolve } = Promise.withResolvers<void>();
      syncs.push({ end: resolve });
      return promise;
    },
  };
  const timer = (ms: number, callback: () => void) => {
    const wait = { ms, callback };
    waits.push(wait);
    return () => void (waits = waits.filter((other) => other !== wait));
  };
  const slow: number[] = [];
  const syncer = new Syncer(mode, timer, () => nowMs, files, (tookMs) => slow.push(tookMs));
  return {
    syncer,
    slow,
    files,
    syncs,
    waits: () => waits.map(({ ms }) => ms),
    /** Lets the time of the first wait come. */
    fire() {
      const { ms, callback } = waits.shift()!;
      nowMs += ms;
      callback();
    },
    /** Ends the sync that is under way after so many milliseconds. */
    async end(ms = 0) {
      nowMs += ms;
      syncs.at(-1)!.end();
      await Promise.resolve();
      await Promise.resolve();
    },
  };
}

describe("Syncer", () => {
  it("waits for nothing while the disk has all, and syncs nothing", () => {
    const { syncer, waits } = synced();
    syncer.watch();
    assertEquals(waits(), []);
  });

  it("syncs 200 ms after files were given something, once", async () => {
    const { syncer, files, syncs, waits, fire, end } = synced();
    files.isSynced = false;
    syncer.watch();
    syncer.watch();
    assertEquals([waits(), syncs.length], [[200], 0]);
    fire();
    assertEquals([waits(), syncs.length], [[], 1]);
    files.isSynced = true;
    await end();
    assertEquals([waits(), syncs.length], [[], 1]);
  });

  it("looks again by itself until the disk has all, a slow one the earlier", async () => {
    const { syncer, files, syncs, waits, fire, end } = synced();
    files.isSynced = false;
    syncer.watch();
    fire();
    // Given something during the sync: one at a time.
    syncer.watch();
    assertEquals(waits(), []);
    await end(150);
    assertEquals(waits(), [50]);
    fire();
    await end(1000);
    assertEquals(waits(), [0]);
    fire();
    assertEquals(syncs.length, 3);
    files.isSynced = true;
    await end();
    assertEquals(waits(), []);
  });

  it("syncs after two times as long as messages are gathered, if that is longer, 300 ms at most", async () => {
    const { syncer, files, waits, fire, end } = synced();
    files.isSynced = false;
    files.gatherMs = 50;
    syncer.watch();
    assertEquals(waits(), [200]);
    fire();
    files.gatherMs = 150;
    await end(40);
    assertEquals(waits(), [260]);
    fire();
    // Then they are written as they are synced.
    files.gatherMs = 300;
    await end(40);
    assertEquals(waits(), [260]);
  });

  it("tells once that the disk does not keep up, after three slow ones in a row", async () => {
    const { syncer, files, slow, fire, end } = synced();
    files.isSynced = false;
    syncer.watch();
    for (const ms of [600, 501, 500, 501, 700]) {
      fire();
      await end(ms);
    }
    assertEquals(slow, []);
    for (const ms of [900, 800, 100, 600, 600, 600]) {
      fire();
      await end(ms);
    }
    assertEquals(slow, [900]);
  });

  it("does nothing once it is stopped", async () => {
    const { syncer, files, syncs, waits, fire, end } = synced();
    files.isSynced = false;
    syncer.watch();
    fire();
    syncer.stop();
    await end();
    syncer.watch();
    assertEquals([waits(), syncs.length], [[], 1]);
    const other = synced();
    other.files.isSynced = false;
    other.syncer.watch();
    other.syncer.stop();
    assertEquals(other.waits(), []);
  });

  for (const mode of ["never", "always"] as const) {
    it(`leaves files alone whose mode is "${mode}"`, () => {
      const { syncer, files, waits } = synced(mode);
      files.isSynced = false;
      syncer.watch();
      assertEquals(waits(), []);
    });
  }
});
