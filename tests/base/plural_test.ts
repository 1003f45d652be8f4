import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { plural } from "../../lib/base/plural.ts";
import { formatPlural } from "../../lib/cli/terminal/units.ts";

describe("plural", () => {
  it("has the singular for one alone", () => {
    const texts = [0, 1, 2].map((count) => plural(count, "byte"));
    assertEquals(texts, ["0 bytes", "1 byte", "2 bytes"]);
    assertEquals([1, 2].map((count) => plural(count, "copy", "copies")), ["1 copy", "2 copies"]);
  });

  it("separates thousands where people read tables", () => {
    const texts = [1, 1000, 1234567].map((count) => formatPlural(count, "row"));
    assertEquals(texts, ["1 row", "1,000 rows", "1,234,567 rows"]);
  });
});
