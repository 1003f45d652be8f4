import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import {
  ArgReader,
  oneOf,
  parseCount,
  parsePort,
  UsageError,
} from "../../../lib/cli/args/arg_reader.ts";

import type { Setting } from "../../../lib/cli/args/setting.ts";

describe("ArgReader", () => {
  const args = new ArgReader(
    { force: true, json: [true], quiet: [], port: ["70000"], count: ["3"], token: ["a b"] },
    [
      new Map([["level", { value: "warn", where: "RERELAY_LEVEL", source: "environment" }]]),
      new Map<string, Setting>([
        ["level", { value: "info", where: "a.toml, line 1: level", source: "file" }],
        ["port", { value: "1", where: "a.toml, line 2: port", source: "file" }],
        ["keep", { value: "none", where: "a.toml, line 3: keep", source: "file" }],
      ]),
    ],
  );

  it("reads flags and values, collected or not, and nothing where there is none", () => {
    assertEquals(["force", "json", "quiet", "missing"].map((name) => args.flag(name)), [
      true,
      true,
      false,
      false,
    ]);
    assertEquals(args.read("count", parseCount), 3);
    assertEquals(args.read("missing", parseCount), undefined);
    assertEquals([args.text("count"), args.text("json")], ["3", undefined]);
    assertEquals(args.given(["missing", "force", "count", "port"]), "force");
  });

  it("reads what the first place has that sets an option, and says which one it was", () => {
    assertEquals([args.text("port"), args.text("level")], ["70000", "warn"]);
    assertEquals(args.setting("port")?.where, "--port");
    assertThrows(
      () => args.read("keep", parseCount),
      UsageError,
      "a.toml, line 3: keep none: expected a number",
    );
    assertThrows(() => args.read("level", parsePort), UsageError, "RERELAY_LEVEL warn: expected");
    // What the environment of many runs has is not meant for this one.
    assertEquals(args.given(["missing", "level", "keep"]), "keep");
  });

  it("names the option, its value and what is expected instead, but no secret", () => {
    assertThrows(() => args.read("port", parsePort), UsageError, "--port 70000: expected a number");
    const secret = () => args.read("token", parsePort, "TOKEN");
    assertThrows(secret, UsageError, "--token TOKEN: expected a number");
  });
});

describe("values", () => {
  it("are read strictly", () => {
    assertEquals(["0", "65535"].map(parsePort), [0, 65535]);
    for (const text of ["", "-1", "65536", "1.5", "1e3", " 1"]) {
      assertThrows(() => parsePort(text), RangeError, "0 to 65535");
    }
    assertEquals(["1", "999999999"].map(parseCount), [1, 999_999_999]);
    for (const text of ["", "0", "-1", "1.5", "1e3", "1000000000"]) {
      assertThrows(() => parseCount(text), RangeError, "above 0");
    }
    const parse = oneOf(["save", "drop"]);
    assertEquals(parse("drop"), "drop");
    assertThrows(() => parse("Dorp"), RangeError, "expected save, drop; did you mean drop?");
  });
});
