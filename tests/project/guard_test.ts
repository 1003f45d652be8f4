import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { judgeAllocations, judgeSpeed } from "../bench/guard_bounds.ts";
import type { Measured, What } from "../bench/guard_runs.ts";

const MIB = 1024;

function measured(what: What, secs: number[], clients = 1, peakKiB = 100 * MIB): Measured {
  return { what, clients, secs, peakKiB };
}

/** What is too slow or too large, without its figures. */
function missed(verdicts: readonly { readonly text: string; readonly ok: boolean }[]): string[] {
  return verdicts.filter(({ ok }) => !ok).map(({ text }) => text.split(": ")[1]!);
}

describe("the speed guard", () => {
  it("compares medians with the control's", () => {
    const control = measured("control", [0.09, 0.1, 0.5]);
    const judged = (secs: number[]) =>
      missed(judgeSpeed("small", "deno", [control, measured("server", secs)]));
    assertEquals(judged([0.2, 0.3, 9]), []);
    assertEquals(judged([0.2, 0.31, 9]), ["speed, of the control's"]);
  });

  it("compares saving and many clients with the server alone", () => {
    const one = measured("server", [0.1]);
    const many = (sec: number) =>
      missed(judgeSpeed("small", "bun", [one, measured("server", [sec], 16)]));
    assertEquals(many(0.2), []);
    assertEquals(many(0.25), ["many clients, of one"]);
    const save = (sec: number) =>
      missed(judgeSpeed("images", "bun", [one, measured("save", [sec])]));
    assertEquals(save(0.8), []);
    assertEquals(save(0.9), ["with saving, of without"]);
  });

  it("looks at the peak of the last one", () => {
    const large = measured("server", [0.1], 1, 321 * MIB);
    const verdicts = judgeSpeed("images", "deno", [measured("control", [0.1]), large]);
    assertEquals(missed(verdicts), ["peak RSS, server"]);
  });

  it("counts bytes of objects a message, and of buffers a byte", () => {
    const counted = (heapBytes: number, bufferBytes: number) =>
      missed(
        judgeAllocations("small", "bun", { messages: 10, bytes: 1000, heapBytes, bufferBytes }),
      );
    assertEquals(counted(17_000, 30), []);
    assertEquals(counted(17_010, 30), ["bytes of objects a message"]);
    assertEquals(counted(17_000, 31), ["bytes of buffers a byte received"]);
  });
});
