import { describe, it } from "node:test";
import process from "node:process";
import { assertEquals } from "@std/assert";
import { denoFiles } from "../../../lib/adapters/files/deno_files.ts";
import { detectRuntime } from "../../../lib/adapters/runtime.ts";
import { filesContract } from "../../contract/files_contract.ts";
import {
  filesSystemContract,
  openPaths,
  temporaryFolder,
} from "../../contract/files_system_contract.ts";

if (detectRuntime() !== "deno") it.skip("denoFiles needs Deno");
else {
  describe("denoFiles", () => {
    const folder = temporaryFolder();
    filesContract(denoFiles, folder);
    filesSystemContract(denoFiles, folder);

    it(
      "takes another descriptor only where much is written from one sync to the next",
      { skip: process.platform !== "linux" && "needs Linux's /proc" },
      async () => {
        const path = folder.path("descriptors");
        const open = () => openPaths().filter((each) => each === path).length;
        const file = await denoFiles.create(path, "new");
        const mebibyte = new Uint8Array(2 ** 20);
        for (let i = 0; i < 8; i++) {
          await file.write(mebibyte);
          await file.sync();
        }
        assertEquals(open(), 1);
        for (let i = 0; i < 4; i++) await file.write(mebibyte);
        await file.sync();
        assertEquals(open(), 2);
        await file.close();
        assertEquals(open(), 0);
      },
    );
  });
}
