/**
 * Counts tests in the JUnit reports of `deno test` and `bun test`.
 */

/**
 * Counts the tests that have no tests inside them.
 *
 * @param {string} xml a report, as either runtime writes it
 * @returns {{ passed: number, failed: number, skipped: number }}
 */
export function countTests(xml) {
  const cases = [...xml.matchAll(/<testcase\b([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)]
    .map(([, attributes, body = ""]) => ({ name: nameIn(attributes), body }));
  // Deno lists a `describe` as a test, and its tests as "describe > test"; Bun lists tests alone.
  const groups = new Set(cases.flatMap(({ name }) => parents(name)));
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const { name, body } of cases) {
    if (groups.has(name)) continue;
    if (/<(?:failure|error)\b/.test(body)) counts.failed++;
    else if (/<skipped\b/.test(body)) counts.skipped++;
    else counts.passed++;
  }
  return counts;
}

function nameIn(attributes) {
  return /\bname="([^"]*)"/.exec(attributes)?.[1] ?? "";
}

function parents(name) {
  const steps = name.split(" &gt; ");
  return steps.slice(1).map((_, i) => steps.slice(0, i + 1).join(" &gt; "));
}
