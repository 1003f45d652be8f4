import { assertEquals, assertThrows } from "@std/assert";
import process from "node:process";
import { describe, it } from "node:test";
import { detectRuntime, loadFileAdapter, loadTcpAdapter } from "../../lib/adapters/load.ts";
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

describe("loading adapters", () => {
  it("gives this runtime's TCP", async () => {
    const listener = await (await loadTcpAdapter()).listen({ hostname: "127.0.0.1", port: 0 });
    assertEquals(listener.addr.port > 0, true);
    listener.close();
  });

  it("gives this runtime's files", async () => {
    assertEquals(await (await loadFileAdapter()).kind(process.execPath) !== undefined, true);
  });
});
