import fc from "fast-check";
import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { read, RECORDED, SPLITS_AND_PREFIXES } from "./split_cases.ts";
import { cases } from "../counts.ts";

describe("valid streams", () => {
  it("that were recorded have messages", () => {
    for (const stream of RECORDED) assert(read(stream, [stream.bytes]).length > 2, stream.name);
  });

  it("give the same in any split, and a prefix of it in any prefix", () => {
    fc.assert(SPLITS_AND_PREFIXES, { numRuns: cases(500, 200), seed: 1 });
  });

  it("can be cut anywhere at all, byte by byte", () => {
    for (const stream of RECORDED.filter(({ bytes }) => bytes.length < 20_000)) {
      const bytes = Array.from(stream.bytes, (byte) => Uint8Array.of(byte));
      const kinds = (input: Uint8Array[]) => read(stream, input).map(({ kind }) => kind);
      assertEquals(kinds(bytes), kinds([stream.bytes]), stream.name);
    }
  });
});
