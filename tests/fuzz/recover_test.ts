import { describe, it } from "node:test";
import { assert } from "@std/assert";
import { newRecoverTally, runRecoverCase } from "./recover_cases.ts";

/** The long form, tests/fuzz/recover.ts, takes another each time. */
const SEED = 1;
const CASES = 340;

describe("recovering damaged recordings of all encodings", () => {
  it("keeps what comes before the damage, and makes nothing up", () => {
    const tally = newRecoverTally();
    for (let index = 0; index < CASES; index++) runRecoverCase(SEED, index, tally);
    // Here a doubled byte makes a message of data the activation of a recording.
    runRecoverCase(153_662_552, 4695, newRecoverTally());
    assert(tally.whole > 3000 && tally.lost > 500, JSON.stringify(tally));
  });
});
