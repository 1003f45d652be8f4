import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { inFolder, runCli } from "../cli/cli_process.ts";
import { GOOD_FILES, newVerifyTally, runHere, type RunRrd, runVerifyCase } from "./verify_cases.ts";

/** The long form, tests/fuzz/verify.ts, takes another each time. */
const SEED = 1;
const CASES = 200;
const PROCESSES = 16;

const inProcess: RunRrd = async (args) => {
  const { code, stdout, stderr } = await runCli(["rrd", ...args]);
  return { code: code ?? -1, text: stdout + stderr };
};

describe("damaged files of all encodings", { timeout: 120_000 }, () => {
  it("pass when they are not damaged", () =>
    inFolder(async (folder) => {
      for (const { name, bytes } of GOOD_FILES) {
        const path = join(folder, "good.rrd");
        writeFileSync(path, bytes);
        const { code, text } = await runHere(["verify", "--strict", path]);
        assertEquals([name, code], [name, 0], text);
      }
    }));

  it("are refused by verify and merge, unless all messages are where they were", () =>
    inFolder(async (folder) => {
      const tally = newVerifyTally();
      for (let index = 0; index < CASES; index++) await runVerifyCase(SEED, index, tally, folder);
      // Files of Rerun before 0.19 can be cut between two messages without a trace.
      assert(tally.refused > 150 && tally.unchanged > 5, JSON.stringify(tally));
      assert(tally.seamless < 20, JSON.stringify(tally));
    }));

  it("are refused where data stands under the number of an activation", () =>
    inFolder(async (folder) => {
      const tally = newVerifyTally();
      await runVerifyCase(78, 104, tally, folder);
      assertEquals(tally.refused, 1);
    }));

  it("are so by whole processes", () =>
    inFolder(async (folder) => {
      const tally = newVerifyTally();
      for (let index = 0; index < PROCESSES; index++) {
        await runVerifyCase(SEED + 1, index, tally, folder, inProcess);
      }
      assertEquals(tally.cases, PROCESSES);
    }));
});
