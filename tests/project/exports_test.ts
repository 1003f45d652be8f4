import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { readFileSync } from "node:fs";

const json = (path: string) =>
  JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), "utf8"));

describe("the public entries", () => {
  it("are the same for Deno and for Bun", () => {
    assertEquals(json("package.json").exports, json("deno.json").exports);
  });

  it("can be imported by the package's own name", async () => {
    const { serve } = await import("@rerelay/server");
    const { SmartChannel } = await import("@rerelay/server/flow");
    const { RrdDecoder } = await import("@rerelay/server/encoding");
    const { openRrd } = await import("@rerelay/server/rrd");
    const { fanOut } = await import("@rerelay/server/sinks");
    const { httpApp } = await import("@rerelay/server/viewers");
    const values = [serve, SmartChannel, RrdDecoder, openRrd, fanOut, httpApp];
    assertEquals(values.map((value) => typeof value), Array(values.length).fill("function"));
  });
});
