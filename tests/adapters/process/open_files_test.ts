import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import process from "node:process";
import { openFiles, shareOut } from "../../../lib/adapters/process/open_files.ts";

describe("shareOut", () => {
  it("leaves files to files, and most connections to SDKs", () => {
    assertEquals(shareOut(65_536), {
      limit: 65_536,
      files: 4096,
      sockets: 61_376,
      viewers: 15_344,
    });
    assertEquals(shareOut(20_000), { limit: 20_000, files: 1808, sockets: 18_128, viewers: 4532 });
    assertEquals(shareOut(4096), { limit: 4096, files: 256, sockets: 3776, viewers: 944 });
    assertEquals(shareOut(1024), { limit: 1024, files: 248, sockets: 712, viewers: 178 });
    assertEquals(shareOut(64), { limit: 64, files: 8, sockets: 25, viewers: 7 });
    assertEquals(shareOut(Infinity), {
      limit: Infinity,
      files: 1024,
      sockets: Infinity,
      viewers: Infinity,
    });
  });

  it("knows the limit on Linux", () => {
    const { limit } = openFiles();
    assert(process.platform !== "linux" || (limit > 0 && limit < Infinity), `${limit}`);
  });
});
