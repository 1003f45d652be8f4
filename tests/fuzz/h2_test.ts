import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { newH2Tally, runH2Case } from "./h2_cases.ts";
import { cases } from "../counts.ts";

/** The long form, tests/fuzz/h2.ts, takes another each time. */
const SEED = 1;
const CASES = cases(3000, 1000);

describe("mutated HTTP/2", () => {
  it("ends no connection otherwise than the protocol says, and loses track of nothing", () => {
    const tally = newH2Tally();
    for (let index = 0; index < CASES; index++) {
      try {
        runH2Case(SEED, index, tally);
      } catch (error) {
        throw new Error(`case ${index}: ${error}`, { cause: error });
      }
    }
    assertEquals(tally.cases, CASES);
    // It is no use if all of it is refused at once, or if nothing is.
    assert(tally.lived > CASES / 10, JSON.stringify(tally));
    for (const code of ["PROTOCOL_ERROR", "FRAME_SIZE_ERROR", "COMPRESSION_ERROR"]) {
      assert((tally.errors[code] ?? 0) > 10, JSON.stringify(tally));
    }
    assert(tally.streams > CASES, JSON.stringify(tally));
  });
});
