import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { gateBytes, ReadGate } from "../../../lib/flow/channel/read_gate.ts";

describe("ReadGate", () => {
  it("shuts when too much waits, opens when half of it went on, and tells both once", async () => {
    const told: boolean[] = [];
    const gate = new ReadGate(100, (isShut) => told.push(isShut));
    gate.add(60);
    gate.add(40);
    assertEquals([gate.isShut, gate.opened()], [false, undefined]);
    gate.add(1);
    let isOpen = false;
    gate.opened()!.then(() => isOpen = true);
    gate.add(50);
    gate.add(-60);
    await new Promise((resolve) => setTimeout(resolve, 0));
    assertEquals([gate.isShut, isOpen, told], [true, false, [true]]);
    gate.add(-41);
    await new Promise((resolve) => setTimeout(resolve, 0));
    assertEquals([gate.isShut, isOpen, told], [false, true, [true, false]]);
  });

  it("is a part of what may be held outside of the channel", () => {
    assertEquals(gateBytes(2 ** 30), 16 * 2 ** 20);
    assertEquals(gateBytes(1000), 250);
  });
});
