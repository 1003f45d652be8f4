/**
 * Counts tests in the JUnit reports of `deno test` and `bun test`, and names those that failed.
 */

/** Longer lines say no more to somebody who looks for what failed. */
const LONGEST = 300;
const ENTITIES = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

/**
 * Counts the tests that have no tests inside them.
 *
 * @param {string} xml a report, as either runtime writes it
 * @returns {{ passed: number, failed: number, skipped: number }}
 */
export function countTests(xml) {
  const cases = casesIn(xml);
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

/**
 * Names what failed, each in one line: the file, the test, and how its error begins.
 *
 * @param {string} xml a report, as either runtime writes it
 * @param {string} output what the runtime wrote: errors outside of tests are in no report of Bun's
 * @returns {string[]}
 */
export function faultsOf(xml, output) {
  const cases = casesIn(xml);
  // Deno knows the file of a `describe`, and not that of the tests in it.
  const filesOf = (group) =>
    cases.filter(({ name }) => name === group).map(({ tag }) => attribute(tag, "classname"));
  const failed = cases.flatMap(({ name, tag, body }) => {
    const failure = /<(?:failure|error)\b([^>]*)/.exec(body)?.[1];
    const text = attribute(failure ?? "", "message") || "it failed";
    // A group fails with each test in it.
    if (failure === undefined || /^\d+ test steps? failed$/.test(text)) return [];
    const isBun = /\bfile="/.test(tag);
    const files = isBun ? [attribute(tag, "file")] : filesOf(name.split(" &gt; ")[0]);
    // Bun names the groups from the inside out.
    const around = isBun ? attribute(tag, "classname").split(" > ").reverse() : [];
    const full = [...around, unescaped(name)].filter((part) => part !== "").join(" > ");
    return [`${files.join(" or ")}: ${full}: ${text.replace(/^Uncaught /, "")}`];
  });
  return [...failed, ...outsideOfTests(output)].map(oneLine);
}

/** Errors while a file is loaded, or in what Bun runs before and after the tests of one. */
function outsideOfTests(output) {
  const found = [];
  let file = "";
  let isOutside = false;
  for (const line of output.split("\n")) {
    const [, deno, bun] = /^(\S+\.ts) \(uncaught error\)$|^(\S+\.ts):$/.exec(line) ?? [];
    file = deno ?? bun ?? file;
    if (deno !== undefined || line === "# Unhandled error between tests") isOutside = true;
    if (!isOutside || !/^\w*error: /i.test(line)) continue;
    found.push(`${file}: outside of its tests: ${line}`);
    isOutside = false;
  }
  return found;
}

/** Of a part that is no test, or broke off: the lines that tell of errors. */
export function errorLines(output) {
  return output.split("\n")
    .filter((line) => /^(\w*error\b.*: |It took longer|Ended by |TS\d+ |No test ran)/i.test(line))
    .map(oneLine);
}

function casesIn(xml) {
  return [...xml.matchAll(/<testcase\b([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)]
    .map(([, tag, body = ""]) => ({ name: /\bname="([^"]*)"/.exec(tag)?.[1] ?? "", tag, body }));
}

function attribute(tag, name) {
  return unescaped(new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1] ?? "");
}

function unescaped(text) {
  return text.replace(
    /&(?:#(\d+)|(\w+));/g,
    (whole, code, name) => code ? String.fromCodePoint(Number(code)) : ENTITIES[name] ?? whole,
  );
}

function oneLine(text) {
  return text.replace(/\s+/g, " ").trim().slice(0, LONGEST);
}

function parents(name) {
  const steps = name.split(" &gt; ");
  return steps.slice(1).map((_, i) => steps.slice(0, i + 1).join(" &gt; "));
}
