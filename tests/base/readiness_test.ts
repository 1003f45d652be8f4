import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { Readiness } from "../../lib/base/readiness.ts";

describe("Readiness", () => {
  it("is ready when all parts are, and says why one is not, throws or hangs", async () => {
    const late = Promise.withResolvers<void>();
    const readiness = new Readiness(() => late.promise);
    assertEquals(await readiness.report(), { ready: true, checks: {} });
    readiness.add("port", () => undefined);
    assertEquals(await readiness.report(), { ready: true, checks: { port: "ok" } });
    const fixed = readiness.add("disk", () => "it is full");
    readiness.add("link", () => Promise.reject(new Error("no route")));
    const answered = readiness.add("slow", () => new Promise<undefined>(() => {}));
    const report = readiness.report();
    // Those that answer have answered by then.
    for (let turns = 0; turns < 20; turns++) await Promise.resolve();
    late.resolve();
    assertEquals(await report, {
      ready: false,
      checks: { port: "ok", disk: "it is full", link: "no route", slow: "no answer for 2 s" },
    });
    fixed();
    answered();
    readiness.add("link", () => undefined);
    assertEquals(Object.keys((await readiness.report()).checks), ["port", "link"]);
  });

  it("keeps a part that took the place of one that is taken out later", async () => {
    const readiness = new Readiness();
    const takeOut = readiness.add("disk", () => "not open yet");
    readiness.add("disk", () => undefined);
    takeOut();
    assertEquals(await readiness.report(), { ready: true, checks: { disk: "ok" } });
  });
});
