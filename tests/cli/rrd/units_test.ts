import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../../lib/cli/args/arg_reader.ts";
import { parseRrdArgs, type RrdOptions } from "../../../lib/cli/rrd/options.ts";
import { progress, progressLine } from "../../../lib/cli/rrd/progress.ts";
import { fileName } from "../../../lib/cli/rrd/split.ts";
import type { CliProcess } from "../../../lib/cli/process.ts";

const parse = (...args: string[]) => parseRrdArgs(args) as RrdOptions;

describe("parseRrdArgs", () => {
  it("takes standard input where no file is named, and short options", () => {
    assertEquals(parse("stats").files, ["-"]);
    assertEquals(parse("print", "-v", "a.rrd").verbose, true);
    const { files, output, force } = parse("merge", "-", "b.rrd", "-f", "-o", "c.rrd");
    assertEquals([files, output, force], [["-", "b.rrd"], "c.rrd", true]);
    assertEquals(parse("merge", "b.rrd", "-o", "-").output, "-");
  });

  it("reads addresses and speeds", () => {
    const to = (...args: string[]) =>
      parse("replay", "a", ...args).to.map(({ hostname, port }) => [hostname, port]);
    assertEquals(to(), [["127.0.0.1", 9876]]);
    assertEquals(to("--to", "[::1]:1"), [["::1", 1]]);
    assertEquals(to("--to", "host", "--to=http://b:2"), [["host", 9876], ["b", 2]]);
    assertEquals(parse("replay", "a").speed, Infinity);
    assertEquals(parse("replay", "a", "--speed", "0.5x").speed, 0.5);
    for (const to of ["", ":1", "a:0", "a:65536", "a:x"]) {
      assertThrows(() => parse("replay", "a", "--to", to), UsageError);
    }
    for (const speed of ["0x", "-1x", "1", ""]) {
      assertThrows(() => parse("replay", "a", `--speed=${speed}`), UsageError);
    }
  });

  it("takes -v of stats for a flag", () => {
    const { files, verbose } = parse("stats", "-v", "a.rrd");
    assertEquals([files, verbose], [["a.rrd"], true]);
  });

  it("refuses options that a command does not have, whatever their letters mean elsewhere", () => {
    for (
      const args of [
        ...["-v", "--verbose", "-f", "--force", "-o", "--output", "--output=x", "-x", "--to"],
        ...["--no-json", "--json=no", "--no-x", "-vj", "--max-gap", "--continue-on-error"],
      ]
    ) {
      assertThrows(() => parse("verify", args, "a.rrd"), UsageError, "", args);
    }
    assertThrows(() => parse("stats", "-o", "a.rrd"), UsageError, "has no option -o");
    assertThrows(() => parse("recover", "--strict", "a", "-o", "b"), UsageError, "--strict");
    assertThrows(() => parse("merge", "--strict", "--continue-on-error", "a"), UsageError);
  });

  it("reads how large a gap may be", () => {
    assertEquals(parse("replay", "a").maxGapSec, 10);
    assertEquals(parse("replay", "a", "--max-gap", "1h").maxGapSec, 3600);
    assertThrows(() => parse("replay", "a", "--max-gap", "10"), UsageError, "--max-gap 10:");
  });

  it("takes files whose names are numbers as they are", () => {
    assertEquals(parse("stats", "007", "1e3").files, ["007", "1e3"]);
  });
});

describe("fileName", () => {
  it("stays in the folder whatever the recording is called", () => {
    const names = ["../../etc/passwd", "..", "", "a/b", "\u0000\n", "x".repeat(5000), "rec-1"]
      .map((id, i) => fileName({ kind: "Recording", id }, i + 1));
    for (const name of names) {
      assert(/^\d{3}-[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}\.rrd$/.test(name), name);
    }
    assertEquals(new Set(names).size, names.length);
    assertEquals(names[6], "007-rec-1.rrd");
    assertEquals(fileName({ kind: "Blueprint", id: "b" }, 1), "001-b.rbl");
  });
});

describe("progress", () => {
  function run(isTerminal: boolean, writesLines = false, isOutputTerminal = true): string {
    let text = "";
    let now = 0;
    const process = {
      isTerminal,
      isOutputTerminal,
      env: () => undefined,
      columns: () => 60,
      stderr: (written: string) => text += written,
    } as unknown as CliProcess;
    const bar = progress(process, writesLines, () => now);
    bar.start("a.rrd", 200);
    for (let i = 0; i < 10; i++) {
      bar.add(20);
      now += 50;
    }
    bar.done();
    return text;
  }

  it("draws on a terminal only, not too often, and takes the line away", () => {
    const text = run(true);
    assertEquals(text.match(/%/g)?.length, 5);
    assert(text.includes("90 % of 200 B  a.rrd"), text);
    assert(text.endsWith("\r\x1b[K"));
    assertEquals(run(false), "");
  });

  it("draws nothing between lines of the same terminal", () => {
    assertEquals(run(true, true), "");
    assertEquals(run(true, true, false), run(true));
  });

  it("fits the terminal, also where the size is not known", () => {
    assertEquals(progressLine("a", 5_000_000, undefined, 80), "5.00 MB  a");
    assertEquals(progressLine("n".repeat(300), 1, 2, 40).length, 39);
  });
});
