import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { escapeText, quote } from "../../lib/base/escape.ts";

describe("escapeText", () => {
  it("shows every control and format character as text", () => {
    const cases: [string, string][] = [
      ["plain text, ünïcode, 漢字 and 🤖", "plain text, ünïcode, 漢字 and 🤖"],
      ["a\nb\r\tc", "a\\nb\\r\\tc"],
      ["\x1b]0;owned\x07", "\\u{1b}]0;owned\\u{7}"],
      ["\x9b2J", "\\u{9b}2J"],
      ["\x7f\0", "\\u{7f}\\u{0}"],
      ["\u202egpj.exe", "\\u{202e}gpj.exe"],
      ["line\u2028end\u2029", "line\\u{2028}end\\u{2029}"],
      ["\ud800x", "\\u{d800}x"],
      ["\u{e0041}", "\\u{e0041}"],
    ];
    for (const [text, shown] of cases) assertEquals(escapeText(text), shown);
  });

  it("leaves none of the first 65,536 code units that could move the cursor", () => {
    for (let unit = 0; unit < 0x10000; unit++) {
      const shown = escapeText(String.fromCharCode(unit));
      // deno-lint-ignore no-control-regex
      assert(!/[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/.test(shown), unit.toString(16));
    }
  });

  it("cuts long text and says how much is missing", () => {
    assertEquals(escapeText("abcdef", 4), "abcd… (2 more characters)");
    assertEquals(escapeText("abcd", 4), "abcd");
    // Half a character at the cut is no character.
    assertEquals(escapeText("abc🤖", 4), "abc\\u{d83e}… (1 more characters)");
  });
});

describe("quote", () => {
  it("keeps the name inside its quotes", () => {
    assertEquals(quote('a" of "b\\'), '"a\\" of \\"b\\\\"');
    assertEquals(quote("x\ny"), '"x\\ny"');
    assertEquals(quote("x".repeat(101)), `"${"x".repeat(100)}… (1 more characters)"`);
  });
});
