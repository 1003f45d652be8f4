import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { Refusals } from "../../lib/forward/_refusals.ts";
import { keptLog } from "../sinks/messages.ts";

describe("Refusals", () => {
  it("tells a reason once a minute, with what was refused for it meanwhile", () => {
    const log = keptLog();
    let now = 0;
    const refusals = new Refusals("nats://a:4222", log, () => now);
    const add = (why: string, like?: string) =>
      refusals.add("A message of 20 bytes", { messages: 1, bytes: 20 }, why, like);
    const lines = () => log.of("warn").map((text) => text.replace(/^.*?4222: /, ""));

    for (let i = 0; i < 100; i++) add("no form for it");
    add("too large");
    assertEquals(lines(), ["no form for it", "too large"]);
    now = 59_999;
    add("no form for it");
    assertEquals(lines().length, 2);
    now = 60_000;
    add("no form for it");
    assertEquals(
      lines().at(-1),
      "no form for it; neither were 100 messages (2000 bytes) since this was said last",
    );
  });

  it("tells each of those that are named apart", () => {
    const log = keptLog();
    const refusals = new Refusals("s3://a/b", log, () => 0);
    for (const name of ["1.rrd", "2.rrd", "2.rrd"]) {
      refusals.add(name, { messages: 1, bytes: 20 }, "it changed", name);
    }
    assertEquals(log.of("warn"), [
      "1.rrd is not forwarded to s3://a/b: it changed",
      "2.rrd is not forwarded to s3://a/b: it changed",
    ]);
  });
});
