import { describe, it } from "node:test";
import { bunFiles } from "../../../lib/adapters/files/bun_files.ts";
import { detectRuntime } from "../../../lib/adapters/runtime.ts";
import { filesContract } from "../../contract/files_contract.ts";
import { filesSystemContract, temporaryFolder } from "../../contract/files_system_contract.ts";

if (detectRuntime() !== "bun") it.skip("bunFiles needs Bun");
else {
  describe("bunFiles", () => {
    const folder = temporaryFolder();
    filesContract(bunFiles, folder);
    filesSystemContract(bunFiles, folder);
  });
}
