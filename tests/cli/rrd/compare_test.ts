import { describe, it } from "node:test";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BRIDGED } from "../../bridge/chunks.ts";
import { concat } from "../../encoding/rrd_builder.ts";
import { capturePackets, fixture } from "../../fixtures.ts";
import { inFolder } from "../cli_process.ts";
import { ENCODINGS, run } from "./run.ts";

function captured(folder: string, name: string): string {
  const path = join(folder, `${name}.rrd`);
  writeFileSync(path, concat(...capturePackets(name)));
  return path;
}

/** A double that a chunk has, little endian, wherever it stands in the file. */
function withOther(path: string, from: number, to: number, output: string): void {
  const bytes = readFileSync(path);
  const needle = new Uint8Array(Float64Array.of(from).buffer);
  const at = bytes.indexOf(needle);
  assertEquals(at >= 0, true);
  bytes.set(new Uint8Array(Float64Array.of(to).buffer), at);
  writeFileSync(output, bytes);
}

describe("rrd compare", { timeout: 60_000 }, () => {
  it("finds all encodings of a recording equal", async () => {
    for (const other of ENCODINGS.slice(1)) {
      const { code, stdout, stderr } = await run("compare", ENCODINGS[0]!, other);
      assertEquals([code, stdout, stderr], [0, "equal: 166 values\n", ""]);
    }
  });

  it("finds what is migrated equal to what was logged", () =>
    inFolder(async (folder) => {
      for (const name of BRIDGED) {
        const [input, output] = [captured(folder, name), join(folder, `${name}-new.rrd`)];
        assertEquals((await run("migrate", input, "-o", output)).code, 0);
        const { code, stdout } = await run("compare", input, output);
        assertEquals(code, 0, stdout);
      }
    }));

  it("finds layouts equal whose views were called space views", () =>
    inFolder(async (folder) => {
      const [input, output] = [join(folder, "old.rrd"), join(folder, "new.rrd")];
      writeFileSync(input, fixture("every/0.20.3-blueprint.rrd"));
      assertEquals((await run("migrate", input, "-o", output)).code, 0);
      const { code, stdout } = await run("compare", input, output);
      assertEquals([code, stdout.slice(0, 6)], [0, "equal:"], stdout);
      // Not if the container holds another view.
      const text = readFileSync(input).toString("latin1");
      const other = join(folder, "other.rrd");
      writeFileSync(other, text.replace(/(?<!\/)space_view\/./g, "space_view/x"), "latin1");
      const found = await run("compare", other, output);
      assertEquals(found.code, 1);
      assertStringIncludes(found.stdout, "ContainerBlueprint:contents");
    }));

  it("finds a value that differs, by its entity, its component and its times", () =>
    inFolder(async (folder) => {
      const changed = join(folder, "changed.rrd");
      withOther(ENCODINGS[2]!, Math.sin(0.1), 0.25, changed);
      const { code, stdout } = await run("compare", ENCODINGS[2]!, changed, "--json");
      const { a, b, differences, ...report } = JSON.parse(stdout);
      assertEquals([code, a, b], [1, ENCODINGS[2]!, changed]);
      const counts = { values_a: 166, values_b: 166, different_entities: 1 };
      assertEquals(report, { equal: false, ...counts, complete: true });
      assertEquals(differences.length, 1);
      const { a: before, b: after, entity, component, times } = differences[0];
      assertEquals([before, after], ["[0.09983341664682815]", "[0.25]"]);
      assertEquals(component, "Scalars:scalars");
      const text = await run("compare", ENCODINGS[2]!, changed);
      assertEquals(text.code, 1);
      assertStringIncludes(text.stdout, "different: 1 entity; 166 values in the first file, 166");
      const when = Object.entries(times).map(([name, time]) => `${name}=${time}`).join(" ");
      assertStringIncludes(text.stdout, `  ${entity} ${component} ${when}: ${before} | ${after}\n`);
    }));

  it("finds what only one of the files has, and shows the first of many", () =>
    inFolder(async (folder) => {
      const input = captured(folder, "0.22.1-mixed");
      const half = join(folder, "half.rrd");
      const packets = capturePackets("0.22.1-mixed");
      writeFileSync(half, concat(...packets.slice(0, packets.length >> 1)));
      const { code, stdout } = await run("compare", input, half, "--json");
      const { differences, complete, values_a, values_b } = JSON.parse(stdout);
      assertEquals([code, complete, differences.length], [1, false, 10]);
      assertEquals(values_a > values_b, true);
      for (const { a, b } of differences) assertEquals([typeof a, b], ["string", undefined]);
      const swapped = await run("compare", half, input, "--json");
      for (const { a, b } of JSON.parse(swapped.stdout).differences) {
        assertEquals([a, typeof b], [undefined, "string"]);
      }
      assertStringIncludes((await run("compare", half, input)).stdout, "(not there) | ");
    }));

  it("counts a value that is there twice", () =>
    inFolder(async (folder) => {
      const twice = join(folder, "twice.rrd");
      const bytes = readFileSync(ENCODINGS[0]!);
      writeFileSync(twice, concat(bytes, bytes));
      const { code, stdout } = await run("compare", ENCODINGS[0]!, twice);
      assertEquals(code, 1);
      assertStringIncludes(stdout, "166 values in the first file, 332 in the second");
    }));

  it("leaves out timelines that are not to count", () =>
    inFolder(async (folder) => {
      const [one, other] = [captured(folder, "0.21.0-mixed"), captured(folder, "0.22.1-mixed")];
      // The same program, run twice.
      const strict = await run("compare", one, other, "--json");
      const { different_entities } = JSON.parse(strict.stdout);
      const loose = await run(
        "compare",
        ...[one, other, "--json", "--ignore-timeline", "log_time", "--ignore-timeline=log_tick"],
      );
      assertEquals(JSON.parse(loose.stdout).different_entities < different_entities, true);
    }));

  it("never takes for equal what can't be read", () =>
    inFolder(async (folder) => {
      const cut = join(folder, "cut.rrd");
      writeFileSync(cut, readFileSync(ENCODINGS[2]!).subarray(0, 100_000));
      for (const files of [[cut, cut], [ENCODINGS[2]!, cut]]) {
        const { code, stdout, stderr } = await run("compare", ...files);
        assertEquals([code, stdout], [1, ""]);
        assertStringIncludes(stderr, "cut.rrd: ");
      }
    }));

  it("needs two files that can be read twice", async () => {
    for (const files of [[], ["a.rrd"], ["a.rrd", "-"], ["a.rrd", "b.rrd", "c.rrd"]]) {
      const { code, stderr } = await run("compare", ...files);
      assertEquals(code, 2);
      assertStringIncludes(stderr, "two files".slice(files.length === 3 ? 4 : 0));
    }
  });
});
