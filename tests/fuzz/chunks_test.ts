import { describe, it } from "node:test";
import { assert } from "@std/assert";
import { newChunkTally, runChunkCase } from "./chunk_cases.ts";
import { cases } from "../counts.ts";

/** The long form, tests/fuzz/chunks.ts, takes another each time. */
const SEED = 1;
const CASES = cases(4000, 1000);

describe("mutated Arrow data", () => {
  it(`is read column by column, or refused (seed ${SEED})`, () => {
    const tally = newChunkTally();
    for (let index = 0; index < CASES; index++) runChunkCase(SEED, index, tally);
    // The mutants are neither too wild to be read, nor too tame to be refused.
    const { read, refused } = tally;
    assert(read > CASES / 10 && refused > CASES / 10, JSON.stringify(tally));
  });
});
