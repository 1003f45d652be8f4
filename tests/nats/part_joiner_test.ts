import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import type { BatchHeaders, PartPlace } from "../../lib/nats/headers.ts";
import { PartJoiner } from "../../lib/nats/part_joiner.ts";

function part(index: number, more: Partial<PartPlace> = {}, number = 5) {
  const place: PartPlace = { index, count: 3, bytes: 6, ...more };
  const headers: BatchHeaders = { box: "b", run: "r", file: "f", numbers: [number] };
  return { ...headers, part: place };
}

const LIMITS = { maxMessageBytes: 100, maxUnfinishedBytes: 10_000 };
const two = (byte: number) => Uint8Array.of(byte, byte);

describe("PartJoiner", () => {
  it("joins the parts of each subject, and holds nothing afterwards", () => {
    let held = 0;
    const joiner = new PartJoiner(LIMITS, (more) => held += more);
    for (const subject of ["a", "b"]) {
      assertEquals(joiner.push(subject, part(0), two(1)).is, "unfinished");
    }
    assertEquals(joiner.push("a", part(1), two(2)).is, "unfinished");
    assertEquals(held, 6 + 3 * 256);
    const whole = joiner.push("a", part(2), two(3));
    assertEquals(whole.is === "whole" && [...whole.payload], [1, 1, 2, 2, 3, 3]);
    assertEquals([held, joiner.bytes], [258, 258]);
    joiner.drop("b");
    assertEquals([held, joiner.bytes], [0, 0]);
  });

  it("begins anew with a first part, and tells what is given up", () => {
    const dropped: string[] = [];
    const joiner = new PartJoiner(LIMITS, () => {}, (subject) => dropped.push(subject));
    joiner.push("a", part(0), two(1));
    joiner.push("a", part(1), two(2));
    joiner.push("a", part(0), two(7));
    joiner.push("a", part(1), two(8));
    const whole = joiner.push("a", part(2), two(9));
    assertEquals(whole.is === "whole" && [...whole.payload], [7, 7, 8, 8, 9, 9]);
    assertEquals(dropped, ["a"]);
  });

  it("refuses parts whose beginning is missing, or that are of another message", () => {
    const joiner = new PartJoiner(LIMITS);
    assertEquals(joiner.push("a", part(1), two(1)).is, "refused");
    joiner.push("a", part(0), two(1));
    assertEquals(joiner.push("a", part(2), two(1)).is, "refused");
    assertEquals(joiner.push("a", part(1, {}, 6), two(1)).is, "refused");
    assertEquals(joiner.push("a", part(1), two(1)).is, "unfinished", "the right one still counts");
  });

  it("refuses lies about lengths before it takes memory for them", () => {
    const joiner = new PartJoiner(LIMITS);
    assertEquals(joiner.push("a", part(0, { bytes: 101 }), two(1)).is, "refused");
    joiner.push("a", part(0), two(1));
    assertEquals(joiner.push("a", part(1), new Uint8Array(50)).is, "refused");
    joiner.push("b", part(0), two(1));
    joiner.push("b", part(1), two(1));
    assertEquals(joiner.push("b", part(2), Uint8Array.of(1)).is, "refused");
    assertEquals(joiner.bytes, 0);
  });

  it("remembers only that they came of those begun longest ago where all are too much", () => {
    const dropped: string[] = [];
    const limits = { ...LIMITS, maxUnfinishedBytes: 1000 };
    const joiner = new PartJoiner(limits, () => {}, (subject) => dropped.push(subject));
    for (const subject of ["a", "b", "c", "d"]) joiner.push(subject, part(0), two(1));
    assertEquals([dropped, joiner.bytes], [[], 3 * 258]);
    for (const subject of ["a", "b"]) joiner.push(subject, part(1), two(1));
    assertEquals(joiner.push("a", part(2), two(1)), { is: "unheld" });
    assertEquals(joiner.push("a", part(2), two(1)), { is: "unheld" }, "as often as it comes");
    assertEquals(joiner.push("b", part(2), two(1)).is, "whole");
    assertEquals(joiner.bytes <= 1000, true);
    joiner.push("a", part(0), two(1));
    assertEquals(dropped, ["a"]);
  });

  it("counts parts without bytes, and knows of no more than it may", () => {
    const dropped: string[] = [];
    const joiner = new PartJoiner(LIMITS, () => {}, (subject) => dropped.push(subject));
    const empty = new Uint8Array();
    for (let index = 0; index < 50; index++) {
      joiner.push("a", part(index, { count: 100, bytes: 100 }), empty);
    }
    assertEquals(joiner.bytes, 50 * 256);
    for (let i = 0; i <= 10_000; i++) joiner.push(`${i}`, part(0), two(1));
    assertEquals([dropped[0], dropped.length, joiner.bytes <= 10_000], ["a", 2, true]);
  });
});
