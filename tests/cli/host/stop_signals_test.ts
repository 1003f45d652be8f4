import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import type { StopSignal } from "../../../lib/cli/process.ts";
import { stopSignals } from "../../../lib/cli/host/stop_signals.ts";

function signals() {
  const exits: (number | string)[] = [];
  let time = 0;
  let send = (_: StopSignal) => {};
  const stopped = stopSignals(
    { onStopSignal: (listener) => send = listener, exitNow: (code) => exits.push(code) },
    () => exits.push("before"),
    () => time,
  );
  let stops = 0;
  stopped.then(() => stops++);
  return {
    exits,
    at: async (ms: number, signal: StopSignal) => {
      time = ms;
      send(signal);
      await Promise.resolve();
      return stops;
    },
  };
}

describe("stopSignals", () => {
  it("asks to stop once, then ends at once with the signal's code", async () => {
    for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
      const { at, exits } = signals();
      assertEquals([await at(1000, "SIGTERM"), exits.length], [1, 0]);
      assertEquals(await at(1051, signal), 1);
      assertEquals(exits, ["before", code]);
    }
  });

  it("takes what comes within 50 ms for the same wish", async () => {
    const { at, exits } = signals();
    await at(1000, "SIGINT");
    await at(1000, "SIGINT");
    await at(1050, "SIGTERM");
    assertEquals(exits, []);
  });
});
