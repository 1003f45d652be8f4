import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inFolder, runCli, startCli } from "../cli/cli_process.ts";
import { concat } from "../encoding/rrd_builder.ts";
import { cases } from "../counts.ts";
import {
  checkLeftover,
  indexLine,
  leftoverOf,
  newLeftoverTally,
  runLeftoverCase,
  runRecoverCommand,
} from "./leftover_cases.ts";

/** The long form, tests/fuzz/leftovers.ts, takes another each time. */
const SEED = 1;
const CASES = cases(200, 40);
const FILES = cases(50, 20);
/** A process each for `rrd recover`; another starts over all of `FILES`. */
const PROCESSES = cases(25, 4);

const name = (index: number) => `p-${String(index + 1).padStart(4, "0")}.rrd`;

describe("damaged leftovers of all encodings", { timeout: 120_000 }, () => {
  it("lose no whole message to a server that starts over them", { timeout: 120_000 }, async () => {
    const tally = newLeftoverTally();
    for (let index = 0; index < CASES; index++) await runLeftoverCase(SEED, index, tally);
    assertEquals(tally.cases, CASES);
    assert(tally.messages > 7.5 * CASES && tally.copied > CASES / 4, JSON.stringify(tally));
  });

  it("lose none to rrd recover", { timeout: 120_000 }, () =>
    inFolder(async (folder) => {
      for (let index = 0; index < CASES; index++) await runRecoverCommand(SEED, index, folder);
      for (let index = 0; index < PROCESSES; index++) {
        await runRecoverCommand(SEED + 1, index, folder, async (args) => {
          const { code, stdout, stderr } = await runCli(["rrd", ...args]);
          return { code: code ?? -1, text: stdout + stderr };
        });
      }
    }));

  it(
    `lose none to a whole process, ${FILES} at once`,
    { timeout: 120_000 },
    () =>
      inFolder(async (folder) => {
        const leftovers = Array.from({ length: FILES }, (_, i) => leftoverOf(SEED + 2, i));
        for (const [i, { bytes }] of leftovers.entries()) {
          writeFileSync(join(folder, `${name(i)}.part`), bytes);
        }
        const index = concat(...leftovers.map((_, i) => indexLine(name(i))));
        writeFileSync(join(folder, "p-{part}.rrd.index.jsonl"), index);
        const { cli } = await startCli(["--save", join(folder, "p-{part}.rrd")]);
        await cli.seesTimes(/(?:Kept|Recovered|Removed|whole message is in) /g, FILES);
        cli.signal("SIGTERM");
        const { code, stderr } = await cli.ended;
        assertEquals(code, 0, stderr);
        const tally = newLeftoverTally();
        const read = (path: string) =>
          existsSync(path) ? new Uint8Array(readFileSync(path)) : undefined;
        for (const [i, leftover] of leftovers.entries()) {
          const path = join(folder, name(i));
          checkLeftover(leftover, read(path), read(`${path}.damaged`), tally);
          assert(!existsSync(`${path}.part`) && !existsSync(`${path}.new`));
        }
        assert(tally.copied > FILES / 5, JSON.stringify(tally));
      }),
  );
});
