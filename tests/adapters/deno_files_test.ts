import { describe, it } from "node:test";
import { denoFiles } from "../../lib/adapters/deno_files.ts";
import { detectRuntime } from "../../lib/adapters/detect.ts";
import { filesContract } from "../contract/files_contract.ts";
import { filesSystemContract, temporaryFolder } from "../contract/files_system_contract.ts";

if (detectRuntime() !== "deno") it.skip("denoFiles needs Deno");
else {
  describe("denoFiles", () => {
    const folder = temporaryFolder();
    filesContract(denoFiles, folder);
    filesSystemContract(denoFiles, folder);
  });
}
