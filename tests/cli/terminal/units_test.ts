import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import {
  durationText,
  formatBytes,
  formatCount,
  formatDuration,
  parseDuration,
  parseSize,
  sizeText,
} from "../../../lib/cli/terminal/units.ts";

describe("parseSize", () => {
  // The first group is Rerun's own table (re_format, test_parse_bytes).
  const sizes: [string, number][] = [
    ["999B", 999],
    ["1000B", 1_000],
    ["1kB", 1_000],
    ["1000kB", 1_000_000],
    ["1MB", 1_000_000],
    ["1000MB", 1_000_000_000],
    ["1GB", 1_000_000_000],
    ["1000GB", 1_000_000_000_000],
    ["1TB", 1_000_000_000_000],
    ["1000TB", 1_000_000_000_000_000],
    ["123B", 123],
    ["12kB", 12_000],
    ["123MB", 123_000_000],
    ["1KiB", 1_024],
    ["1000KiB", 1_000 * 1024],
    ["1MiB", 1024 ** 2],
    ["1GiB", 1024 ** 3],
    ["1000TiB", 1_000 * 1024 ** 4],

    ["256MiB", 268_435_456],
    ["16GB", 16_000_000_000],
    ["1.5GiB", 1_610_612_736],
    ["0.5kB", 500],
    [".5kB", 500],
    ["5.MB", 5_000_000],
    ["007B", 7],
    ["8191TiB", 8191 * 2 ** 40],
  ];
  for (const [text, bytes] of sizes) {
    it(`reads ${text}`, () => assertEquals(parseSize(text), bytes));
  }

  const wrong: [string, string][] = [
    ["", "expected a size"],
    ["256", "expected a size"],
    ["MiB", "expected a size"],
    ["-1MB", "expected a size"],
    ["+1MB", "expected a size"],
    ["1 MB", "expected a size"],
    [" 1MB", "expected a size"],
    ["1MB ", "expected a size"],
    ["1MB2", "expected a size"],
    ["1.2.3MB", "expected a size"],
    [".MB", "expected a size"],
    ["1e3MB", "expected a size"],
    ["0x10MB", "expected a size"],
    ["1,5GB", "expected a size"],
    ["50%", "expected a size"],
    ["1M", "expected a size"],
    ["infMB", "expected a size"],
    ["1constructor", "expected a size"],
    ["٣MB", "expected a size"],
    ["1mb", "write 1MB"],
    ["1Mib", "write 1MiB"],
    ["1KB", "write 1kB"],
    ["1kib", "write 1KiB"],
    ["0B", "above 0"],
    ["0.0MB", "above 0"],
    ["0.3B", "above 0"],
    ["8192TiB", "below"],
    [`${"9".repeat(400)}TB`, "below"],
  ];
  for (const [text, reason] of wrong) {
    it(`refuses ${JSON.stringify(text.slice(0, 20))}`, () => {
      assertThrows(() => parseSize(text), RangeError, reason);
    });
  }
});

describe("parseDuration", () => {
  const durations: [string, number][] = [
    // Rerun's own table (re_format, test_parse_duration).
    ["3.2s", 3.2],
    ["250ms", 0.25],
    ["3m", 180],

    ["200ms", 0.2],
    ["10s", 10],
    ["1m", 60],
    ["1.5m", 90],
    ["2h", 7200],
    [".5s", 0.5],
    ["0.001ms", 1e-6],
  ];
  for (const [text, seconds] of durations) {
    it(`reads ${text}`, () => assertEquals(parseDuration(text), seconds));
  }

  const wrong: [string, string][] = [
    ["", "expected a duration"],
    ["10", "expected a duration"],
    ["ms", "expected a duration"],
    ["-1s", "expected a duration"],
    ["10 s", "expected a duration"],
    ["1m30s", "expected a duration"],
    ["100us", "expected a duration"],
    ["infs", "expected a duration"],
    ["NaNs", "expected a duration"],
    ["1S", "write 1s"],
    ["5MS", "write 5ms"],
    ["0s", "above 0"],
    ["0.0ms", "above 0"],
    [`${"9".repeat(400)}h`, "shorter"],
  ];
  for (const [text, reason] of wrong) {
    it(`refuses ${JSON.stringify(text.slice(0, 20))}`, () => {
      assertThrows(() => parseDuration(text), RangeError, reason);
    });
  }
});

describe("text for people", () => {
  it("shows bytes in three digits", () => {
    const shown: [number, string][] = [
      [0, "0 B"],
      [17, "17 B"],
      [999, "999 B"],
      [1000, "1.00 kB"],
      [1016, "1.02 kB"],
      [12_345, "12.3 kB"],
      [114_901, "115 kB"],
      [999_499, "999 kB"],
      [999_500, "1.00 MB"],
      [505_000_000, "505 MB"],
      [1.5e9, "1.50 GB"],
      [2e15, "2.00 PB"],
      [5e18, "5000 PB"],
    ];
    for (const [bytes, text] of shown) assertEquals(formatBytes(bytes), text);
  });

  it("shows counts with separators", () => {
    assertEquals([0, 999, 1000, 1234567].map(formatCount), ["0", "999", "1,000", "1,234,567"]);
  });

  it("shows durations without ever reaching the next unit", () => {
    const shown: [number, string][] = [
      [0, "0 ms"],
      [0.14, "140 ms"],
      [0.9994, "999 ms"],
      [0.9996, "1.0 s"],
      [3.21, "3.2 s"],
      [59.94, "59.9 s"],
      [59.96, "1 min 0 s"],
      [250, "4 min 10 s"],
      [3599.4, "59 min 59 s"],
      [3599.6, "1 h 0 min"],
      [7500, "2 h 5 min"],
    ];
    for (const [seconds, text] of shown) assertEquals(formatDuration(seconds), text);
  });
});

describe("sizeText and durationText", () => {
  it("are the shortest that is read as the same", () => {
    const sizes: [number, string][] = [
      [1, "1B"],
      [1000, "1kB"],
      [1024, "1KiB"],
      [1025, "1025B"],
      [256 * 2 ** 20, "256MiB"],
      [2 ** 30, "1GiB"],
      [1e12, "1TB"],
    ];
    for (const [bytes, text] of sizes) {
      assertEquals(sizeText(bytes), text);
      assertEquals(parseSize(text), bytes);
    }
    for (
      const [seconds, text] of [[0.2, "200ms"], [10, "10s"], [60, "1m"], [3600, "1h"]] as const
    ) {
      assertEquals(durationText(seconds), text);
      assertEquals(parseDuration(text), seconds);
    }
  });
});
