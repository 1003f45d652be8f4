/**
 * Kills the command line at random moments while it saves at full speed, half the time on Deno and half
 * on Bun, and looks at what is left:
 *
 *     deno run -A tests/soak/kill.ts [--rounds 1000] [--seed 1] [--case 17]
 *
 * Every file must open, hold nothing that was not sent, in order, and all that the program had taken off
 * its socket 500 ms before (Linux alone tells how much that was). Then a new start and a recovering reader
 * must find the same.
 */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { caseRandom } from "../random.ts";
import { scriptArgs } from "../script_args.ts";
import { killRound, type Round } from "./kill_round.ts";
import { checkKilled } from "./kill_check.ts";

const { seed, only, numbers } = scriptArgs({ rounds: 1000 });
console.log(`seed ${seed}`);
const WAYS: readonly Omit<Round, "runtime" | "killMs">[] = [
  { name: "one file", pattern: "a.rrd", args: [] },
  { name: "parts", pattern: "{part}.rrd", args: ["--rotate-size", "8MiB"] },
  { name: "recordings", pattern: "{recording_id}-{part}.rrd", args: ["--rotate-every", "150ms"] },
  { name: "lz4", pattern: "a.rrd", args: ["--compress", "lz4"] },
];

let failed = 0;
const sums = { rounds: 0, messages: 0, due: 0, torn: 0, whole: 0 };
const parent = await mkdtemp(join(tmpdir(), "rerelay-kill-"));
const cases = only === undefined ? Array.from({ length: numbers.rounds }, (_, i) => i) : [only];
for (const index of cases) {
  const random = caseRandom(seed, index);
  const way = WAYS[Math.floor(random() * WAYS.length)]!;
  const runtime = index % 2 === 0 ? "deno" : "bun";
  const folder = join(parent, String(index));
  const round: Round = { ...way, runtime, killMs: 20 + random() ** 2 * 1200 };
  try {
    const sent = await killRound(round, folder);
    const found = await checkKilled(sent, folder, round.pattern);
    sums.rounds++;
    sums.messages += found.messages;
    sums.due += sent.due;
    sums.torn += found.torn;
    sums.whole += found.files;
    if (only !== undefined) console.log(round, found, await readdir(folder));
    await rm(folder, { recursive: true, force: true });
  } catch (error) {
    failed++;
    const after = `${round.killMs.toFixed(0)} ms`;
    console.error(`case ${index}, ${runtime}, ${round.name}, killed after ${after}: ${error}`);
    console.error(`  files in ${folder}: ${await readdir(folder).catch(() => [])}`);
  }
  if (sums.rounds % 100 === 0) console.log(`${index + 1} rounds, ${failed} failed`);
}
if (failed === 0) await rm(parent, { recursive: true, force: true });
console.log(
  `${sums.messages} messages in ${sums.whole} files, ${sums.torn} of them torn; ` +
    `${sums.due} had come 500 ms before`,
);
console.log(`${cases.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
