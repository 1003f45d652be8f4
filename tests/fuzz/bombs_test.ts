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
  grownMiB: number;
  goodAfter: boolean;
}

const MAX_MS = 10;
const MAX_MIB = 16;
/** A busy machine may take the processor away for longer than it all takes. */
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
    it(`${name}: refused under ${MAX_MS} ms and ${MAX_MIB} MiB`, async () => {
      const outcomes: Outcome[] = [];
      for (let i = 0; i < TRIES; i++) {
        child.tell(name);
        const outcome = await child.next<Outcome>();
        assert(outcome.goodAfter && ALLOWED_ERRORS.has(outcome.refused!), JSON.stringify(outcome));
        outcomes.push(outcome);
        if (outcome.ms < MAX_MS && outcome.grownMiB < MAX_MIB) break;
      }
      const { ms, grownMiB, text } = outcomes.at(-1)!;
      assertLess(ms, MAX_MS, text);
      assertLess(grownMiB, MAX_MIB, text);
    });
  }
});
