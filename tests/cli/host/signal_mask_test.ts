import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { ignoresSignal } from "../../../lib/cli/host/signal_mask.ts";

describe("ignoresSignal", () => {
  it("reads the bit of each signal", () => {
    const status = "Name:\tx\nSigBlk:\tffffffffffffffff\nSigIgn:\t8000000001001001\nSigCgt:\t00\n";
    const ignored = [1, 2, 13, 15, 25, 64].filter((signal) => ignoresSignal(status, signal));
    assertEquals(ignored, [1, 13, 25, 64]);
    assertEquals(ignoresSignal(status, 2), false);
  });

  it("does not know of a signal that somebody hears by now", () => {
    const status = "SigIgn:\t0000000000000002\nSigCgt:\t0000000000000001\n";
    assertEquals([1, 2, 3].map((signal) => ignoresSignal(status, signal)), [
      undefined,
      true,
      false,
    ]);
  });

  it("does not know where nothing is said", () => {
    assertEquals(ignoresSignal("Name:\tx\nSigBlk:\t0\n", 1), undefined);
    assertEquals(ignoresSignal("", 1), undefined);
  });
});
