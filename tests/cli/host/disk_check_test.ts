import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { memoryFiles } from "../../../lib/adapters/files/memory_files.ts";
import type { FileAdapter } from "../../../lib/adapters/files/types.ts";
import { diskCheck, probeName } from "../../../lib/cli/host/disk_check.ts";

function setUp(over: Partial<FileAdapter> = {}) {
  const memory = memoryFiles();
  let tries = 0;
  const files: FileAdapter = {
    ...memory,
    create: (path, mode) => (tries++, memory.create(path, mode)),
    ...over,
  };
  const clock = { ms: 0 };
  const check = diskCheck({
    ...{ files, folder: "", probe: "a.probe", minFreeBytes: 1000, now: () => clock.ms },
  });
  return { check, clock, memory, tries: () => tries };
}

describe("probeName", () => {
  it("fits where the name of the recording does, and is of this process", () => {
    assertEquals(probeName("{recording_id}.rrd", 7), "{recording_id}.rrd.7.probe");
    for (const name of ["n".repeat(255), "é".repeat(127), "😀".repeat(63)]) {
      assert(new TextEncoder().encode(probeName(name, 4_194_304)).length < 255);
    }
  });
});

describe("diskCheck", () => {
  it("makes a file now and then, and takes it away", async () => {
    const { check, clock, memory, tries } = setUp();
    for (const ms of [0, 1, 4999]) {
      clock.ms = ms;
      assertEquals(await check(), undefined);
    }
    assertEquals(tries(), 1);
    clock.ms = 5000;
    await check();
    assertEquals([tries(), memory.paths], [2, []]);
  });

  it("says what is wrong, and tries again at once", async () => {
    let free = 999;
    const little = setUp({ freeBytes: () => Promise.resolve(free) });
    const why = await little.check();
    assert(why?.includes("999 B left, less than --ready-free"), why);
    free = 1000;
    assertEquals(await little.check(), undefined);
    const broken = setUp({ create: () => Promise.reject(new Error("read-only file system")) });
    assertEquals(await broken.check(), ". can't be written: read-only file system");
  });
});
