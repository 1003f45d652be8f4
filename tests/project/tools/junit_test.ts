import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { countTests } from "../../../tools/junit.mjs";

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

  it("counts nothing where there is no report", () => {
    assertEquals(countTests(""), { passed: 0, failed: 0, skipped: 0 });
  });
});
