import { describe, it } from "node:test";
import { assert } from "@std/assert";
import { newBridgeTally, runBridgeCase } from "./bridge_cases.ts";
import { cases } from "../counts.ts";

/** The long form, tests/fuzz/bridge.ts, takes another each time. */
const SEED = 1;
const CASES = cases(3000, 600);

describe("mutated Arrow schemas", () => {
  it(`are bridged as they say, or left as they came (seed ${SEED})`, () => {
    const tally = newBridgeTally();
    for (let index = 0; index < CASES; index++) runBridgeCase(SEED, index, tally);
    // The mutants are neither too wild to be schemas, nor too tame to be refused.
    const { bridged, damaged } = tally;
    assert(bridged > CASES / 10 && damaged > CASES / 10, JSON.stringify(tally));
  });
});
