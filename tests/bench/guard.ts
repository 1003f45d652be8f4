/**
 * Whether receiving has become much slower, or takes much more memory, on Deno and on Bun:
 *
 *     deno run -A tests/bench/guard.ts [--runtimes deno,bun] [--rounds 5]
 *
 * Speed is judged by ratios of medians within one run, so that it does not matter how fast the
 * machine is, and measured again where it seems too low. Memory is counted, which has no noise.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "@std/cli";
import {
  type GuardStream,
  judgeAllocations,
  judgeSpeed,
  type Runtime,
  type Verdict,
} from "./guard_bounds.ts";
import { countAllocations, type Subject, timeRuns } from "./guard_runs.ts";
import { makeStream } from "./streams.ts";

/** How often something is measured at most: a disk and a machine that others use, too, vary. */
const ATTEMPTS = 4;

const CONTROL: Subject = { what: "control", clients: 1 };
const SERVER: Subject = { what: "server", clients: 1 };
const SAVE: Subject = { what: "save", clients: 1 };
const MANY: Subject = { what: "server", clients: 16 };
/**
 * Packets of the streams, of about 100 MB each, and who receives them in turn. Saving has turns of its
 * own: what it leaves the disk to do would slow the control down.
 */
const STREAMS: Readonly<Record<GuardStream, { packets: number; groups: readonly Subject[][] }>> = {
  small: { packets: 37_000, groups: [[CONTROL, SERVER, MANY], [SERVER, SAVE]] },
  images: { packets: 110, groups: [[CONTROL, SERVER], [SERVER, SAVE]] },
};

const args = parseArgs(process.argv.slice(2), {
  string: ["runtimes", "rounds"],
  unknown: (arg) => {
    console.error(`There is no ${arg}: see the top of tests/bench/guard.ts`);
    process.exit(2);
  },
});
const runtimes = (args["runtimes"] as string | undefined ?? "deno,bun").split(",") as Runtime[];
const rounds = Number(args["rounds"] ?? 5);

const counts = { passed: 0, failed: 0 };
function tell(verdicts: readonly Verdict[]): void {
  for (const { text, ok } of verdicts) {
    console.log(`${ok ? "ok  " : "FAIL"} ${text}`);
    counts[ok ? "passed" : "failed"]++;
  }
}

const folder = await mkdtemp(join(tmpdir(), "rerelay-guard-"));
try {
  for (const name of Object.keys(STREAMS) as GuardStream[]) {
    const stream = makeStream(name, folder, STREAMS[name].packets);
    for (const runtime of runtimes) {
      tell(judgeAllocations(name, runtime, await countAllocations(runtime, stream)));
    }
    for (const group of STREAMS[name].groups) {
      for (const runtime of runtimes) {
        const given = { rounds, file: join(folder, "saved.rrd") };
        const measured = async () =>
          judgeSpeed(name, runtime, await timeRuns(runtime, stream, group, given));
        let verdicts = await measured();
        for (let left = ATTEMPTS - 1; left > 0; left--) {
          const missed = verdicts.filter(({ ok }) => !ok);
          if (missed.length === 0) break;
          console.log(`again, for: ${missed.map(({ text }) => text).join("; ")}`);
          const next = await measured();
          verdicts = verdicts.map((before, i) => before.ok ? before : next[i]!);
        }
        tell(verdicts);
      }
    }
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exit(counts.failed === 0 ? 0 : 1);
