import { describe, it } from "node:test";
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { RrdDecoder } from "../../../mod.ts";
import { RrdDamage } from "../../../lib/encoding/rrd/part.ts";
import { concat } from "../rrd_builder.ts";
import { describeMsg } from "../../fixtures.ts";
import { randomPieces, seeded } from "../../random.ts";
import { RECORDINGS, scan } from "../../recordings/inputs.ts";

/** Damages of each recording; tests/fuzz/recover.ts tries more, and several at once. */
const SEEDS = 15;

describe("RrdScanner", () => {
  for (const [name, bytes] of RECORDINGS) {
    it(`finds in ${name} what RrdDecoder does, in any pieces, and every byte`, () => {
      const expected = new RrdDecoder().push(bytes).items.map(describeMsg);
      for (const recover of [false, true]) {
        for (const seed of [1, 2, 3]) {
          const { parts, error } = scan(randomPieces(bytes, seeded(seed)), { recover });
          assertEquals(error, undefined);
          const found = parts.flatMap((part) => part.kind === "message" ? [part.msg] : []);
          assertEquals(found.map(describeMsg), expected);
          let at = 0;
          for (const part of parts) {
            assertEquals(part.offset, at);
            at += part.bytes;
          }
          assertEquals(at, bytes.length);
        }
      }
    });
  }

  it("says where the first damage is, and hands out what comes before", () => {
    const [, bytes] = RECORDINGS[1]!;
    const messages = scan([bytes]).parts.filter((part) => part.kind === "message");
    const third = messages[2]!;
    const damaged = bytes.slice();
    damaged.fill(0xff, third.offset + 8, third.offset + third.bytes);
    const { parts, error } = scan([damaged]);
    assertInstanceOf(error, RrdDamage);
    assertEquals(error.offset, third.offset);
    assertEquals(parts.filter((part) => part.kind === "message").length, 2);
  });

  it("refuses what is no recording, and an empty file", () => {
    assertEquals(
      scan([new TextEncoder().encode("no recording")]).error?.message.slice(0, 10),
      "at byte 0:",
    );
    assertInstanceOf(scan([]).error, RrdDamage);
  });
});

describe("RrdScanner, recovering", () => {
  it("goes on under a guessed header where the first is gone", () => {
    for (const [name, bytes] of RECORDINGS.slice(0, 5)) {
      const whole = scan([bytes]).parts.filter((part) => part.kind === "message").length;
      const { parts, error } = scan([bytes.subarray(12)], { recover: true });
      assertEquals([name, error], [name, undefined]);
      assertEquals(parts.filter((part) => part.kind === "message").length, whole, name);
      assert(parts.some((part) => part.kind === "header" && part.isGuessed));
    }
  });

  it("finds the next file behind a cut one", () => {
    const [[, first], [, second]] = [RECORDINGS[0]!, RECORDINGS[3]!];
    const messagesOf = (bytes: Uint8Array) =>
      scan([bytes], { recover: true }).parts.filter((part) => part.kind === "message").length;
    const both = concat(first.subarray(0, 100_000), second);
    assertEquals(messagesOf(both), messagesOf(first.subarray(0, 100_000)) + messagesOf(second));
  });

  for (const [name, bytes] of RECORDINGS) {
    it(`hands out what is whole and nothing else of ${name} with seeded damages`, () => {
      const originals = scan([bytes]).parts.filter((part) => part.kind === "message");
      const texts = new Set(originals.map((part) => text(bytes, part)));
      const originalPlaces = new Set(originals.map(place));
      for (let seed = 0; seed < SEEDS; seed++) {
        const random = seeded(seed);
        const { damaged, from, to, shift } = damage(bytes, random);
        const { parts, error } = scan(randomPieces(damaged, random), { recover: true });
        const label = `seed ${seed}, damage at ${from}`;
        assert(error === undefined, label);
        const found = parts.filter((part) => part.kind === "message");
        const places = new Set(found.map(place));
        for (const { offset, bytes } of originals) {
          if (offset + bytes <= from) {
            assert(places.has(place({ offset, bytes })), `${label}: lost`);
          }
          // A damaged header may cost messages; captures have one before each message.
          if (offset - 12 >= to) {
            assert(places.has(place({ offset: offset + shift, bytes })), `${label}: lost behind`);
          }
        }
        for (const part of found) {
          // Flipped data can't be told without a checksum; where it is, is still known.
          const isOriginal = shift === 0
            ? originalPlaces.has(place(part))
            : texts.has(text(damaged, part));
          assert(isOriginal, `${label}: made up ${part.offset} ${part.bytes}`);
        }
        let at = 0;
        for (const part of parts) {
          assert(part.offset === at, label);
          at += part.bytes;
        }
        assert(at === damaged.length, label);
      }
    });
  }
});

function place({ offset, bytes }: { offset: number; bytes: number }): string {
  return `${offset} ${bytes}`;
}

function text(bytes: Uint8Array, part: { offset: number; bytes: number }): string {
  return bytes.subarray(part.offset, part.offset + part.bytes).join();
}

/** Flips bytes, cuts the tail, takes out a range or doubles one; where what is behind went. */
function damage(bytes: Uint8Array<ArrayBuffer>, random: () => number) {
  const from = Math.floor(random() * bytes.length);
  const length = 1 + Math.floor(random() ** 3 * 5000);
  const to = Math.min(bytes.length, from + length);
  const kind = Math.floor(random() * 4);
  const head = bytes.slice(0, from);
  if (kind === 0) {
    const damaged = bytes.slice();
    for (let n = 0; n < 5; n++) {
      damaged[from + Math.floor(random() * (to - from))]! ^= 1 << Math.floor(random() * 8);
    }
    return { damaged, from, to, shift: 0 };
  }
  if (kind === 1) return { damaged: head, from, to: Infinity, shift: -1 };
  if (kind === 2) {
    return { damaged: concat(head, bytes.subarray(to)), from, to, shift: from - to };
  }
  return { damaged: concat(bytes.slice(0, to), bytes.subarray(from)), from, to, shift: to - from };
}
