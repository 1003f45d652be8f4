import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { cliLog, type CliLogOptions } from "../../../lib/cli/terminal/cli_log.ts";
import { LOG_LEVELS } from "../../../lib/base/log.ts";

function lines(options: Partial<CliLogOptions> = {}) {
  const written: string[] = [];
  const log = cliLog({
    level: "info",
    format: "text",
    color: false,
    date: () => Date.UTC(2026, 10, 23, 9, 31, 52, 123),
    write: (line) => written.push(line),
    ...options,
  });
  return { log, written };
}

describe("cliLog", () => {
  it("writes text as Rerun does", () => {
    const { log, written } = lines();
    log.write("info", "Hosting");
    log.write("warn", "two\nlines \x1b[2J");
    assertEquals(written, [
      "[2026-11-23T09:31:52Z INFO  rerelay] Hosting",
      "[2026-11-23T09:31:52Z WARN  rerelay] two\\nlines \\u{1b}[2J",
    ]);
  });

  it("writes down to its level only", () => {
    for (const [i, level] of LOG_LEVELS.entries()) {
      const { log, written } = lines({ level });
      for (const each of LOG_LEVELS) {
        log.write(each, "x");
        assertEquals(log.enabled(each), LOG_LEVELS.indexOf(each) <= i);
      }
      assertEquals(written.length, i + 1);
    }
  });

  it("colours the level, not the peer's text", () => {
    const { log, written } = lines({ format: "terminal", color: true });
    log.write("error", "\x1b[31mred");
    assertEquals(
      written[0]!.replace(/\d\d:\d\d:\d\d/, "TIME"),
      "\x1b[2mTIME\x1b[0m \x1b[31mERROR\x1b[0m \\u{1b}[31mred",
    );
  });

  it("writes JSON with its fields, one line of text without controls", () => {
    const { log, written } = lines({ format: "json" });
    log.write("info", "a\n\x9b\u202e\u{e0041}\ud800", {
      bytes: 2n ** 64n,
      port: 9876,
      gone: undefined,
      level: "forged",
    });
    assertEquals(written.length, 1);
    // deno-lint-ignore no-control-regex
    assertEquals(/[\0-\x1f\x7f-\x9f\u202e]/.test(written[0]!), false);
    assertEquals(JSON.parse(written[0]!), {
      time: "2026-11-23T09:31:52.123Z",
      level: "info",
      message: "a\n\x9b\u202e\u{e0041}\ud800",
      bytes: "18446744073709551616",
      port: 9876,
    });
  });
});
