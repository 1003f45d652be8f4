import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { countTests } from "../../../tools/junit.mjs";

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

describe("countTests", () => {
  it("counts Deno's steps, and not the groups around them", () => {
    const xml = `
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
    assertEquals(countTests(xml), { passed: 2, failed: 1, skipped: 1 });
  });

  it("counts Bun's tests", () => {
    const xml = `
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
    assertEquals(countTests(xml), { passed: 1, failed: 1, skipped: 1 });
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
