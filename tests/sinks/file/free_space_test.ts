import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { FreeSpace } from "../../../lib/sinks/file/_free_space.ts";
import { keptLog } from "../messages.ts";

describe("FreeSpace", () => {
  it("tells that a disk is about to be full, once, and again after there was room", async () => {
    const log = keptLog();
    let [ms, written, free, looks] = [0, 0, 1e12, 0];
    const freeBytes = () => {
      looks++;
      return Promise.resolve(free);
    };
    const space = new FreeSpace({
      ...{ folder: "d/", adapter: { freeBytes }, log },
      ...{ now: () => ms, written: () => written },
    });
    const pass = async (seconds: number, bytes: number) => {
      ms += 1000 * seconds;
      written += bytes;
      space.look();
      await Promise.resolve();
      await Promise.resolve();
      await Promise.resolve();
    };
    await pass(0, 0);
    for (let second = 0; second < 20; second++) await pass(1, 50e6);
    assertEquals([looks, log.lines.length], [5, 0]);
    // At 50 MB/s that is full within ten minutes.
    free = 20e9;
    for (let second = 0; second < 20; second++) await pass(1, 50e6);
    assertEquals(log.of("warn").length, 1);
    assert(
      /Only 20000 MB are free in d\/; at 50 MB\/s it is full in 400 s/.test(log.of("warn")[0]!),
    );
    free = 1e12;
    await pass(5, 250e6);
    free = 1e6;
    await pass(5, 0);
    assertEquals(log.of("warn").length, 2);
    assert(log.of("warn")[1]!.startsWith("Only 1.0 MB are free in d/: make room"));
  });
});
