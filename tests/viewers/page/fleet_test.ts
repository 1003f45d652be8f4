import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { formatClock, formatSpan } from "../../../lib/viewers/page/format.js";

describe("the page's words for times", () => {
  it("tell how long something has gone on", () => {
    assertEquals([0, 59.6, 119, 150, 7100, 7300, 90_000].map((seconds) => formatSpan(seconds)), [
      ...["0 s", "60 s", "119 s", "3 min", "118 min", "2 h", "25 h"],
    ]);
  });

  it("tell the time of day where the reader is", () => {
    const at = new Date(2026, 4, 6, 7, 8, 9);
    assertEquals(formatClock(at.getTime()), "07:08:09");
  });
});
