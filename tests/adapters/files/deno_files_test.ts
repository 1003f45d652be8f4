import { describe, it } from "node:test";
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import process from "node:process";
import { assertEquals, assertRejects } from "@std/assert";
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

    it(
      "closes a file of which the system says nothing once it is open",
      { skip: process.platform !== "linux" && "needs Linux's /proc" },
      async () => {
        const path = folder.path("unknown");
        await (await denoFiles.create(path, "new")).close();
        const { stat } = Deno.FsFile.prototype;
        Deno.FsFile.prototype.stat = () => Promise.reject(new Error("stale"));
        try {
          await assertRejects(() => denoFiles.openAt(path), Error, "stale");
          await assertRejects(() => denoFiles.open(path), Error, "stale");
        } finally {
          Deno.FsFile.prototype.stat = stat;
        }
        assertEquals(openPaths().filter((each) => each === path), []);
      },
    );

    it(
      "closes a pipe that it can't add to",
      { skip: process.platform !== "linux" && "needs Linux's pipes" },
      async () => {
        const path = folder.path("unending_pipe");
        execFileSync("mkfifo", [path]);
        const read = readFile(path);
        await assertRejects(() => denoFiles.create(path, "append"), Error);
        assertEquals((await read).length, 0);
      },
    );
  });
}
