/**
 * Whether a changelog has the form of Keep a Changelog, and tells of the version to be released.
 */

const KINDS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"];
const VERSION = /^## \[(\d+)\.(\d+)\.(\d+)\] - (\d{4}-\d{2}-\d{2})( \[YANKED\])?$/;

/**
 * What is wrong with a changelog, each with its line.
 *
 * @param {string} text
 * @param {string} version that is to be released
 * @param {string} today as 2026-11-29
 * @returns {string[]}
 */
export function changelogProblems(text, version, today) {
  const problems = [];
  const lines = text.split("\n");
  if (lines[0] !== "# Changelog") problems.push("line 1: expected # Changelog");
  /** The version above: newer, and not older by its date. */
  let above;
  let kinds = [];
  /** The heading that needs a line, and whether it has one. */
  let open;
  const told = [];
  const close = () => {
    if (open && !open.filled) problems.push(`${open.place}: nothing stands under it`);
    open = undefined;
  };
  let isFenced = false;
  for (const [i, line] of lines.entries()) {
    const place = `line ${i + 1}`;
    if (line.startsWith("```")) isFenced = !isFenced;
    if (isFenced) continue;
    if (line.startsWith("## ")) {
      close();
      kinds = [];
      if (line === "## [Unreleased]") {
        if (above !== undefined) problems.push(`${place}: Unreleased stands above all versions`);
        continue;
      }
      const match = VERSION.exec(line);
      if (match === null) {
        problems.push(`${place}: expected ## [1.2.3] - 2026-01-31 instead of ${line}`);
        continue;
      }
      const numbers = match.slice(1, 4).map(Number);
      const date = match[4];
      if (new Date(`${date}T00:00:00Z`).toJSON()?.slice(0, 10) !== date) {
        problems.push(`${place}: there is no ${date}`);
      }
      if (date > today) problems.push(`${place}: ${date} is yet to come`);
      if (above !== undefined && compare(numbers, above.numbers) >= 0) {
        problems.push(`${place}: ${numbers.join(".")} stands under ${above.numbers.join(".")}`);
      }
      if (above !== undefined && date > above.date) {
        problems.push(`${place}: ${date} is later than that of the next version`);
      }
      above = { numbers, date };
      told.push(numbers.join("."));
      open = { place, filled: false };
    } else if (line.startsWith("### ")) {
      const kind = line.slice("### ".length);
      if (open?.isKind) close();
      if (open) open.filled = true;
      if (!KINDS.includes(kind)) problems.push(`${place}: ${kind} is none of ${KINDS.join(", ")}`);
      if (kinds.includes(kind)) problems.push(`${place}: ${kind} stands there twice`);
      kinds.push(kind);
      open = { place, filled: false, isKind: true };
    } else if (/^- \S/.test(line) && open) {
      open.filled = true;
    }
  }
  close();
  if (told[0] !== version) {
    problems.push(`the newest version is ${told[0] ?? "none"}, and ${version} is to be released`);
  }
  return problems;
}

/**
 * The date of a version.
 *
 * @param {string} text of the changelog
 * @param {string} version
 * @returns {string | undefined} as 2026-11-29
 */
export function dateOf(text, version) {
  for (const line of text.split("\n")) {
    const match = VERSION.exec(line);
    if (match?.slice(1, 4).join(".") === version) return match[4];
  }
  return undefined;
}

/**
 * What is told as not released.
 *
 * @param {string} text of the changelog
 * @returns {string[]} its lines
 */
export function unreleased(text) {
  const [, section = ""] = /^## \[Unreleased\]$([\s\S]*?)(?=^## |$(?![\s\S]))/m.exec(text) ?? [];
  return section.split("\n").filter((line) => line.startsWith("- "));
}

function compare(a, b) {
  const i = a.findIndex((number, i) => number !== b[i]);
  return i < 0 ? 0 : a[i] - b[i];
}
