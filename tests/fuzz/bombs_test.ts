import { after, before, describe, it } from "node:test";
import { assert, assertLess } from "@std/assert";
import process from "node:process";
import { type Child, startChild } from "../contract/child.ts";
import { BOMBS } from "./bombs.ts";
import { ALLOWED_ERRORS } from "./packet_cases.ts";

interface Outcome {
  refused?: string;
  text?: string;
  ms: number;
  /** What a good packet of as many messages as are allowed took, just before. */
  fullMs: number;
  grownMiB: number;
  goodAfter: boolean;
}

/** How many good packets of as many messages as are allowed a bomb may cost; most cost none. */
const MAX_PACKETS = 4;
const MAX_MIB = 16;
/** A busy machine, or a compiler that runs beside, may disturb one. */
const TRIES = 10;

const skip = process.platform !== "linux" && "the peak of memory is reset in /proc";

describe("bombs", { skip, timeout: 60_000 }, () => {
  let child: Child;
  before(async () => {
    child = startChild(new URL("bombs_child.ts", import.meta.url), []);
    await child.next();
  });
  after(() => child.stop());

  for (const name of Object.keys(BOMBS)) {
    it(`${name}: refused within ${MAX_PACKETS} full packets' time and ${MAX_MIB} MiB`, async () => {
      const outcomes: Outcome[] = [];
      for (let i = 0; i < TRIES; i++) {
        child.tell(name);
        const outcome = await child.next<Outcome>();
        assert(outcome.goodAfter && ALLOWED_ERRORS.has(outcome.refused!), JSON.stringify(outcome));
        outcomes.push(outcome);
        const { ms, fullMs, grownMiB } = outcome;
        if (ms < MAX_PACKETS * fullMs && grownMiB < MAX_MIB) break;
      }
      const last = outcomes.at(-1)!;
      assertLess(last.ms, MAX_PACKETS * last.fullMs, JSON.stringify(last));
      assertLess(last.grownMiB, MAX_MIB, JSON.stringify(last));
    });
  }
});
