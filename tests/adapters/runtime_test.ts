import { assertEquals, assertThrows } from "@std/assert";
import process from "node:process";
import { describe, it } from "node:test";
import { detectRuntime } from "../../lib/adapters/runtime.ts";
import { UnsupportedRuntime } from "../../lib/base/errors.ts";

describe("detectRuntime", () => {
  it("tells Deno from Bun", () => {
    assertEquals(detectRuntime({ Deno: {} }), "deno");
    assertEquals(detectRuntime({ Bun: {} }), "bun");
    assertEquals(detectRuntime() in process.versions, true);
  });

  it("says which runtimes there are, on another", () => {
    assertThrows(() => detectRuntime({}), UnsupportedRuntime, "run it on Deno or Bun");
  });
});
