import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  type BatchHeaders,
  FIELD,
  HEADER_ROOM_BYTES,
  headerFields,
  MAX_MESSAGES,
  numbersText,
  parseNumbers,
  readHeaders,
} from "../../lib/nats/headers.ts";

const WHOLE: BatchHeaders = { box: "b", run: "r", file: "f", numbers: [1, 2, 5] };

function read(fields: readonly (readonly [string, string])[]) {
  const map = new Map(fields);
  return readHeaders((name) => map.get(name) ?? "");
}

describe("headers in NATS", () => {
  it("say for how long messages waited, where that is known and a number", () => {
    const fields = headerFields({ ...WHOLE, waitedMs: 1234 });
    assertEquals(read(fields)?.waitedMs, 1234);
    assertEquals(read(headerFields(WHOLE))?.waitedMs, undefined);
    const odd = fields.map(([name, value]): [string, string] => [
      name,
      name === "Rerelay-Waited" ? "-1" : value,
    ]);
    assertEquals(read(odd), WHOLE);
  });

  it("name the numbers of messages, neighbours as a range", () => {
    assertEquals(numbersText([4, 5, 6, 9, 11, 12]), "4-6,9,11-12");
    fc.assert(fc.property(fc.uniqueArray(fc.nat(), { minLength: 1, maxLength: 200 }), (some) => {
      const numbers = some.toSorted((a, b) => a - b);
      assertEquals(parseNumbers(numbersText(numbers)), numbers);
    }));
  });

  it("fit into the room that is left for them", () => {
    const numbers = Array.from({ length: MAX_MESSAGES }, (_, i) => 4_000_000_000 + 2 * i);
    const long = { ...WHOLE, box: "b".repeat(128), file: "f".repeat(128), numbers };
    const bytes = headerFields(long).reduce((sum, [k, v]) => sum + k.length + v.length + 4, 0);
    // Besides them there are an id, a stream and a sequence.
    assertEquals(bytes + 600 < HEADER_ROOM_BYTES, true);
  });

  it("are read again, with the place of a part", () => {
    assertEquals(read(headerFields(WHOLE)), WHOLE);
    const part = { ...WHOLE, numbers: [7], part: { index: 1, count: 3, bytes: 3_000_000 } };
    assertEquals(read(headerFields(part)), part);
  });

  it("are none where a peer wrote something else", () => {
    const wrong: [string, string][] = [
      [FIELD.box, ""],
      [FIELD.file, "a b"],
      [FIELD.run, "x".repeat(129)],
      [FIELD.numbers, ""],
      [FIELD.numbers, "2,1"],
      [FIELD.numbers, "1-1000000000"],
      [FIELD.numbers, "3-2"],
      [FIELD.numbers, "-1"],
      [FIELD.part, "3/3"],
      [FIELD.part, "0/2"],
      [FIELD.part, "x"],
    ];
    for (const field of wrong) {
      assertEquals(
        read([...headerFields({ ...WHOLE, numbers: [1] }), field]),
        undefined,
        `${field}`,
      );
    }
    const part = headerFields({ ...WHOLE, numbers: [1], part: { index: 0, count: 2, bytes: 9 } });
    assertEquals(read([...part, [FIELD.bytes, "1"]]), undefined, "more parts than bytes");
    assertEquals(read([...part, [FIELD.numbers, "1,2"]]), undefined, "a part of two messages");
  });
});
