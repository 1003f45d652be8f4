import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { RrdDecoder } from "../../lib/encoding/rrd/rrd_decoder.ts";
import { caseRandom } from "../random.ts";
import { CORPUS, GOOD } from "./corpus.ts";
import { mutant } from "./mutations.ts";
import { ALLOWED_ERRORS, newTally, runCase } from "./packet_cases.ts";
import { cases } from "../counts.ts";

/** The long form, tests/fuzz/packets.ts, takes another each time. */
const SEED = 1;
const CASES = cases(10_000, 3000);

describe("mutated packets", () => {
  it("are made of good ones of every encoding", () => {
    const kinds = new Map<string, number>();
    for (const packet of CORPUS) {
      const { items, error } = new RrdDecoder().decodePacket(packet);
      assertEquals(error, undefined);
      assertEquals(items.length, 1);
      const { encoded } = items[0]!;
      const { serializer, compression, version } = encoded.header;
      const kind = `${serializer} ${compression} ${version.minor >= 23 ? "new" : "old"}`;
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }
    assertEquals([...kinds.keys()].sort(), [
      "msgpack lz4 old",
      "msgpack off old",
      "protobuf lz4 new",
      "protobuf lz4 old",
      "protobuf off old",
    ]);
    assertEquals(GOOD.length, 2);
  });

  it("are the same for the same seed and case", () => {
    const [a, b, c] = [[7, 1], [7, 1], [7, 2]].map(([seed, index]) =>
      mutant(CORPUS, caseRandom(seed!, index!))
    );
    assertEquals(a, b);
    assert(a!.how !== c!.how || a!.bytes.length !== c!.bytes.length);
  });

  it(`give nothing but the listed errors, and harm no good packet (seed ${SEED})`, () => {
    const tally = newTally();
    for (let index = 0; index < CASES; index++) runCase(SEED, index, tally);
    // The mutants are neither too wild to reach the inside, nor too tame to be refused.
    assert(tally.decoded > CASES / 10 && tally.decoded < CASES / 2, JSON.stringify(tally));
    const seen = Object.keys(tally.errors).sort();
    assertEquals(seen, [...ALLOWED_ERRORS].sort());
  });

  it("are told apart where something else comes out", () => {
    const push = RrdDecoder.prototype.decodePacket;
    try {
      RrdDecoder.prototype.decodePacket = () => {
        throw new TypeError("a bug");
      };
      assertThrows(() => runCase(3, 14, newTally()), Error, "seed 3, case 14 (packet ");
    } finally {
      RrdDecoder.prototype.decodePacket = push;
    }
  });
});
