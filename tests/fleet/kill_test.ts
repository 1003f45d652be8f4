import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { provideNats } from "../nats/nats_program.ts";
import { killFleet } from "./kill.ts";

describe("a fleet whose parts are killed", () => {
  it("has in the middle what is on the box's disk, each once and in order", {
    skip: provideNats().missing,
    timeout: 180_000,
  }, async () => {
    const { wrong, messages } = await killFleet(3, 5);
    assertEquals(wrong, undefined);
    assertEquals(messages > 100, true);
  });
});
