import { describe, it } from "node:test";
import { assert } from "@std/assert";
import { cases } from "../counts.ts";
import { newRecoverTally, runRecoverCase } from "./recover_cases.ts";

/** The long form, tests/fuzz/recover.ts, takes another each time. */
const SEED = 1;
const CASES = cases(340, 85);

describe("recovering damaged recordings of all encodings", () => {
  it("keeps what comes before the damage, and makes nothing up", () => {
    const tally = newRecoverTally();
    for (let index = 0; index < CASES; index++) runRecoverCase(SEED, index, tally);
    // Here a doubled byte makes a message of data the activation of a recording.
    runRecoverCase(153_662_552, 4695, newRecoverTally());
    assert(tally.whole > 8.8 * CASES && tally.lost > 1.4 * CASES, JSON.stringify(tally));
  });
});
