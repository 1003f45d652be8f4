import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inFolder, runCli } from "../cli/cli_process.ts";
import { cases } from "../counts.ts";
import {
  damagedOf,
  GOOD_FILES,
  newVerifyTally,
  runHere,
  type RunRrd,
  runVerifyCase,
} from "./verify_cases.ts";

/** The long form, tests/fuzz/verify.ts, takes another each time. */
const SEED = 1;
const CASES = cases(200, 40);
/** Whole processes verify so many of them, one process all; half of them are merged by one each. */
const WHOLE_PROCESSES = cases(50, 8);

const inProcess: RunRrd = async (args) => {
  const { code, stdout, stderr } = await runCli(["rrd", ...args]);
  return { code: code ?? -1, text: stderr + stdout };
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
      assert(tally.refused > 0.75 * CASES && tally.unchanged > cases(5, 0), JSON.stringify(tally));
      assert(tally.seamless < CASES / 10, JSON.stringify(tally));
    }));

  it("are refused where data stands under the number of an activation", () =>
    inFolder(async (folder) => {
      const tally = newVerifyTally();
      await runVerifyCase(78, 104, tally, folder);
      assertEquals(tally.refused, 1);
    }));

  it("are so by whole processes", { timeout: 120_000 }, () =>
    inFolder(async (folder) => {
      const seed = SEED + 1;
      const damaged = join(folder, "damaged");
      mkdirSync(damaged);
      const name = (index: number) => join(damaged, `${index}.rrd`);
      for (let index = 0; index < WHOLE_PROCESSES; index++) {
        writeFileSync(name(index), damagedOf(seed, index).bytes);
      }
      const verified = await inProcess(["verify", "--strict", "--json", damaged]);
      assertEquals(verified.code, 1);
      const { files, totals } = JSON.parse(verified.text.slice(verified.text.indexOf("{\n")));
      const bad = files.filter(({ ok }: { ok: boolean }) => !ok).length;
      assertEquals([totals.files, totals.bad], [WHOLE_PROCESSES, bad]);
      const tally = newVerifyTally();
      for (let index = 0; index < WHOLE_PROCESSES; index++) {
        const { ok, error } = files.find(({ file }: { file: string }) => file === name(index));
        await runVerifyCase(seed, index, tally, folder, async (args) => {
          if (args[0] === "verify") return { code: ok ? 0 : 1, text: `${error}` };
          return await (index % 2 === 0 ? inProcess : runHere)(args);
        });
      }
      assertEquals(tally.cases, WHOLE_PROCESSES);
      assertEquals(tally.refused, bad);
    }));
});
