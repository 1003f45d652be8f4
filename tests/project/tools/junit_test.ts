import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { countTests, errorLines, faultsOf } from "../../../tools/junit.mjs";

type Result = "passed" | "failed" | "skipped";
/** A test, or a group of tests. */
interface Entry {
  readonly name: string;
  readonly inside: Result | readonly Entry[];
}

const MARKS = { passed: "", failed: "<failure>x</failure>", skipped: "<skipped/>" };

/** Any groups and tests; names are numbered, as a group and a test of one name can't be told apart. */
const ENTRIES: fc.Arbitrary<readonly Entry[]> = fc.letrec<{ entries: readonly Entry[] }>((tie) => {
  const result = fc.constantFrom<Result>("passed", "failed", "skipped");
  const inside = fc.oneof({ maxDepth: 4 }, result, tie("entries"));
  const names = fc.constantFrom("a", "a &gt;b", "&quot;", "é");
  return {
    entries: fc.array(fc.tuple(names, inside), { minLength: 1, maxLength: 4 }).map((entries) =>
      entries.map(([name, inside], i) => ({ name: `${name}${i}`, inside }))
    ),
  };
}).entries;

function asDeno(entries: readonly Entry[], before = ""): string {
  return entries.map(({ name, inside }) => {
    const full = before + name;
    return typeof inside === "string"
      ? `<testcase name="${full}" time="0.1">\n${MARKS[inside]}</testcase>`
      : `<testcase name="${full}" time="0.1">\n</testcase>${asDeno(inside, `${full} &gt; `)}`;
  }).join("\n");
}

function asBun(entries: readonly Entry[]): string {
  return entries.map(({ name, inside }) => {
    if (typeof inside !== "string") {
      return `<testsuite name="${name}">${asBun(inside)}</testsuite>`;
    }
    const mark = MARKS[inside];
    return `<testcase name="${name}"${mark ? `>${mark}</testcase>` : " />"}`;
  }).join("\n");
}

function count(entries: readonly Entry[], counts = { passed: 0, failed: 0, skipped: 0 }) {
  for (const { inside } of entries) {
    if (typeof inside === "string") counts[inside]++;
    else count(inside, counts);
  }
  return counts;
}

const DENO = `
<testsuites name="deno test" tests="6" failures="2" errors="0" time="0.067">
  <testsuite name="./a_test.ts" tests="2" disabled="0" errors="0" failures="1">
    <testcase name="outer" classname="./a_test.ts" time="0.004" line="2" col="1">
      <failure message="1 test step failed">1 test step failed.</failure>
    </testcase>
    <testcase name="top" classname="./a_test.ts" time="0.000" line="9" col="1">
    </testcase>
    <testcase name="whole" classname="./a_test.ts" time="0.000" line="10" col="10">
      <skipped/>
    </testcase>
  </testsuite>
  <testsuite name="ext:deno_node/testing.ts" tests="3" disabled="1" errors="0" failures="2">
    <testcase name="outer &gt; one" classname="x" time="0.000" line="1" col="23191">
    </testcase>
    <testcase name="outer &gt; inner" classname="x" time="0.002" line="1" col="21231">
      <failure message="1 test step failed">1 test step failed.</failure>
    </testcase>
    <testcase name="outer &gt; inner &gt; bad" classname="x" time="0.001" line="1" col="21231">
      <failure message="Uncaught Error: x]]&gt;y">Error: &lt;testcase name=&quot;z&quot;/&gt;</failure>
    </testcase>
  </testsuite>
</testsuites>`;

const BUN = `
<testsuites name="bun test" tests="3" assertions="0" failures="1" skipped="1" time="0.02">
  <testsuite name="outer" file="a_test.ts" line="2" tests="3" failures="1" skipped="1" time="0">
    <testcase name="one" classname="outer" time="0.000871" file="a_test.ts" line="3" />
    <testcase name="two" classname="outer" time="0" file="a_test.ts" line="6">
      <skipped message="TODO" />
    </testcase>
    <testcase name="bad" classname="outer" time="0.000295" file="a_test.ts" line="7">
      <failure type="Error" message="x]]&gt;y">Error: x&#10;      at a_test.ts:7:82&#10;</failure>
    </testcase>
  </testsuite>
</testsuites>`;

describe("countTests", () => {
  it("counts Deno's steps, and not the groups around them", () => {
    assertEquals(countTests(DENO), { passed: 2, failed: 1, skipped: 1 });
  });

  it("counts Bun's tests", () => {
    assertEquals(countTests(BUN), { passed: 1, failed: 1, skipped: 1 });
  });

  it("counts any tests in any groups, in either form", () => {
    fc.assert(fc.property(ENTRIES, (entries) => {
      assertEquals(countTests(asDeno(entries)), count(entries));
      assertEquals(countTests(asBun(entries)), count(entries));
    }));
  });

  it("counts nothing where there is no report", () => {
    assertEquals(countTests(""), { passed: 0, failed: 0, skipped: 0 });
  });
});

describe("faultsOf", () => {
  it("names Deno's steps that failed, with the file of the group around them", () => {
    assertEquals(faultsOf(DENO, ""), ["./a_test.ts: outer > inner > bad: Error: x]]>y"]);
  });

  it("names Bun's tests that failed, with their groups from the outside in", () => {
    assertEquals(faultsOf(BUN, ""), ["a_test.ts: outer > bad: x]]>y"]);
    const inner = BUN.replaceAll('classname="outer"', 'classname="inner &gt; outer"');
    assertEquals(faultsOf(inner, ""), ["a_test.ts: outer > inner > bad: x]]>y"]);
  });

  it("names every file that has a group of that name, where Deno does not say which", () => {
    const other = DENO.replaceAll("./a_test.ts", "./b_test.ts");
    const [first] = faultsOf(DENO + other, "");
    assertEquals(first, "./a_test.ts or ./b_test.ts: outer > inner > bad: Error: x]]>y");
  });

  it("makes one line of a long error", () => {
    const xml = `<testcase name="a" classname="" file="a_test.ts">
      <failure message="Values differ.&#10;&#10;  [&#10;-  ${
      "1".repeat(1000)
    }"></failure></testcase>`;
    const [line] = faultsOf(xml, "");
    assertEquals([line!.length, line!.slice(0, 34)], [300, "a_test.ts: a: Values differ. [ - 1"]);
  });

  it("names files that can't be loaded, which are in no report", () => {
    const deno = [
      "Uncaught error from ./g_test.ts FAILED",
      "",
      "./g_test.ts (uncaught error)",
      "error: (in promise) Error: at load",
    ].join("\n");
    const error = "error: (in promise) Error: at load";
    assertEquals(faultsOf("", deno), [`./g_test.ts: outside of its tests: ${error}`]);
    const output = [
      "a_test.ts:",
      "(pass) one [0.80ms]",
      "",
      "b_test.ts:",
      "",
      "# Unhandled error between tests",
      "-------------------------------",
      '3 | throw new Error("at load");',
      "error: at load",
    ].join("\n");
    assertEquals(faultsOf("", output), ["b_test.ts: outside of its tests: error: at load"]);
  });
});

describe("errorLines", () => {
  it("finds what checks and programs that broke off say", () => {
    const lines = [
      "TS2322 [ERROR]: Type 'string' is not assignable to type 'number'.",
      "error: Found 1 not formatted file in 800 files",
      "It took longer than 540 s and was ended.",
      "Ended by SIGKILL.",
    ];
    const output = `$ deno check\n${lines.join("\nx = 1;\n")}\nerrors: none of these\n`;
    assertEquals(errorLines(output), lines);
  });
});
