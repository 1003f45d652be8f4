import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import {
  ArgReader,
  oneOf,
  parseCount,
  parsePort,
  UsageError,
} from "../../../lib/cli/args/arg_reader.ts";

describe("ArgReader", () => {
  const args = new ArgReader(
    { force: true, json: [true], quiet: [], port: ["70000"], count: ["3"], token: ["a b"] },
    (name) => name === "HOME" ? "/root" : undefined,
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
    assertEquals(args.given(["missing", "force", "count", "port"]), "count");
    assertEquals([args.env("HOME"), args.env("USER")], ["/root", undefined]);
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
