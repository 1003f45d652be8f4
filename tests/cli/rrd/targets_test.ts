import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../../lib/cli/args/arg_reader.ts";
import { replayTargets, targetFor, targetText } from "../../../lib/cli/rrd/targets.ts";

describe("where recordings are replayed to", () => {
  it("is a server of either kind, with Rerun's port", () => {
    const known: [string, string, string, number][] = [
      ["robot", "tcp", "robot", 9876],
      ["127.0.0.1:1", "tcp", "127.0.0.1", 1],
      ["[::1]:65535", "tcp", "::1", 65535],
      ["rerun+http://127.0.0.1:9877/proxy", "grpc", "127.0.0.1", 9877],
      ["rerun+http://[::1]/proxy/", "grpc", "::1", 9876],
      ["http://robot", "grpc", "robot", 9876],
      ["RERUN+HTTP://robot:5/", "grpc", "robot", 5],
    ];
    for (const [text, protocol, hostname, port] of known) {
      const targets = replayTargets([text]);
      assertEquals(targets.map((target) => ({ ...target })), [{ protocol, hostname, port }], text);
      assertEquals(replayTargets([targetText(targets[0]!)]), targets);
    }
    assertEquals(replayTargets([]), [{ protocol: "tcp", hostname: "127.0.0.1", port: 9876 }]);
  });

  it("is refused where it is none, with what is expected", () => {
    for (
      const text of [
        ...["a:b:c", "", ":9876", "a:0", "a:65536", "a b", "user@a", "a/proxy"],
        ...["rerun+http://", "rerun+http://a:0/proxy", "rerun+http://a/other", "ws://a:1"],
        ...["rerun+http://a/proxy?x", "rerun+http://user@a/proxy"],
      ]
    ) assertThrows(() => replayTargets([text]), UsageError, "expected HOST:PORT");
    for (const text of ["rerun+https://a", "rerun://a:1/proxy", "https://a"]) {
      assertThrows(() => replayTargets([text]), UsageError, "TLS");
    }
    assertThrows(() => replayTargets(["a", "b"]), UsageError, "twice");
    assertThrows(() => replayTargets(["http://a", "http://b"]), UsageError, "twice");
    assertThrows(() => replayTargets(["a", "http://b", "c"]), UsageError, "twice");
  });

  it("of several files is the one of their kind, or the only one", () => {
    const both = replayTargets(["old:1", "rerun+http://new:2/proxy"]);
    assertEquals([targetFor(both, true).hostname, targetFor(both, false).hostname], ["new", "old"]);
    const one = replayTargets(["rerun+http://new:2/proxy"]);
    assertEquals([targetFor(one, true), targetFor(one, false)], [one[0]!, one[0]!]);
  });
});
