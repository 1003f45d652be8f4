import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { limitedLog } from "../../lib/base/limited_log.ts";
import { consoleLog, type LogFields } from "../../lib/base/log.ts";

/** A limited log, its lines, and the clock it looks at. */
function start() {
  const lines: string[] = [];
  const clock = { now: 0 };
  const fields: (LogFields | undefined)[] = [];
  const log = limitedLog({
    enabled: (level) => level !== "trace",
    write: (level, text, given) => {
      lines.push(`${level} ${text}`);
      fields.push(given);
    },
  }, () => clock.now);
  return { lines, fields, clock, log };
}

describe("limitedLog", () => {
  it("writes a warning of a kind once a second, and counts the others", () => {
    const { lines, fields, clock, log } = start();
    for (; clock.now < 3000; clock.now++) log.write("warn", `at ${clock.now}`, { kind: "refused" });
    assertEquals(lines, [
      "warn at 0",
      "warn at 1000 (and 999 more like this)",
      "warn at 2000 (and 999 more like this)",
    ]);
    assertEquals(fields[1], { kind: "refused", suppressed: 999 });
    log.flush(true);
    assertEquals(lines.slice(3), ["warn 999 more like the last one: at 2999"]);
    log.flush(true);
    assertEquals(lines.length, 4);
  });

  it("counts for another time, and by another field, also on a log that is limited", () => {
    const { lines, clock, log: limited } = start();
    const log = limitedLog(limited, () => clock.now, { windowMs: 60_000, by: "why" });
    const write = (why: string) => log.write("warn", `no ${why}`, { kind: why, why });
    for (; clock.now < 60_000; clock.now += 100) write("form");
    write("room");
    write("form");
    assertEquals(lines, ["warn no form", "warn no room", "warn no form (and 599 more like this)"]);
  });

  it("says at the second's end what was held back, once", () => {
    const { lines, clock, log } = start();
    for (let i = 0; i < 3; i++) log.write("error", `${i}`, { kind: "bug" });
    clock.now = 999;
    log.flush();
    assertEquals(lines, ["error 0"]);
    clock.now = 1000;
    log.flush();
    assertEquals(lines, ["error 0", "error 2 more like the last one: 2"]);
    // That line is one of its kind, too.
    log.write("error", "3", { kind: "bug" });
    clock.now = 2500;
    log.flush();
    assertEquals(lines.slice(2), ["error 1 more like the last one: 3"]);
  });

  it("keeps kinds and levels apart, and leaves lines without a kind alone", () => {
    const { lines, log } = start();
    for (let i = 0; i < 2; i++) {
      log.write("warn", "a", { kind: "a" });
      log.write("warn", "b", { kind: "b" });
      log.write("error", "a", { kind: "a" });
      log.write("warn", "free");
    }
    assertEquals(lines, ["warn a", "warn b", "error a", "warn free", "warn free"]);
  });

  it("writes a hundred other lines a second", () => {
    const { lines, clock, log } = start();
    for (let i = 0; i < 150; i++) log.write("info", `${i}`, { kind: "connected" });
    assertEquals(lines.length, 100);
    clock.now = 1000;
    log.flush();
    assertEquals(lines[100], "info 50 more like the last one: 149");
  });

  it("is bounded, whatever the kinds are", () => {
    const { lines, clock, log } = start();
    for (let i = 0; i < 1000; i++) log.write("warn", `${i}`, { kind: `kind ${i}` });
    assertEquals(lines.length, 201);
    clock.now = 1000;
    log.flush();
    assertEquals(lines.slice(201), ["warn 799 more like the last one: 999"]);
  });

  it("wraps a log once", () => {
    const { log } = start();
    assertEquals(limitedLog(log, () => 0), log);
  });
});

describe("consoleLog", () => {
  it("lets no controls of a peer out", () => {
    const { error } = console;
    const lines: unknown[] = [];
    console.error = (line: unknown) => void lines.push(line);
    try {
      consoleLog().write("error", "\x1b[2J\x9b31m\u202e");
    } finally {
      console.error = error;
    }
    assertEquals(lines, ["\\u{1b}[2J\\u{9b}31m\\u{202e}"]);
  });
});
