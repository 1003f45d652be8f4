/**
 * Which files are tests, and which of them start whole programs or take many random cases.
 *
 * `npm test` runs the others, `npm run test:programs` these; `.ci/run` runs both.
 */
import * as fs from "node:fs/promises";
import { join, posix, resolve } from "node:path";
import { sources } from "./web_only.mjs";

/** Folders of tests/ that have commands of their own, or no tests. */
const APART = ["bench", "browser", "conformance", "fixtures"];

/** Folders whose tests run for seconds: many random cases, servers under load, fleets. */
const LONG = ["fleet", "fuzz", "soak"];
const LONG_NAME = "_long_test.ts";

/** Starts git alone, for a list of files, which takes some milliseconds. */
const LISTS_FILES = "tests/project/tree.ts";

const STARTS_PROGRAMS = /"node:child_process"|\bDeno\.Command\b|\bBun\.spawn\b/;
const IMPORTED = /\b(?:from|import)\s*\(?\s*"(\.[^"]+\.ts)"/g;

/**
 * Lists the tests of both commands.
 *
 * @param {string} root the package
 * @returns {Promise<{ quick: string[], programs: string[] }>} paths relative to the package; a test
 * is in `programs` if it is in one of the folders above, if its name ends with `_long_test.ts`, or if
 * it starts a program by itself or through a helper in tests/ that it imports
 */
export async function testFiles(root) {
  const apart = new RegExp(`^tests/(${APART.join("|")})/`);
  const long = new RegExp(`^tests/(${LONG.join("|")})/`);
  const files = await sources(resolve(root), "tests");
  const startsPrograms = await findStarters(root, files);
  const tests = files.filter((path) => path.endsWith("_test.ts") && !apart.test(path));
  const isProgram = (path) => long.test(path) || path.endsWith(LONG_NAME) || startsPrograms(path);
  return {
    quick: tests.filter((path) => !isProgram(path)),
    programs: tests.filter(isProgram),
  };
}

async function findStarters(root, files) {
  const texts = new Map();
  for (const path of files) texts.set(path, await fs.readFile(join(root, path), "utf8"));
  const seen = new Map();
  const starts = (path) => {
    const known = seen.get(path);
    if (known !== undefined) return known;
    const text = texts.get(path);
    if (text === undefined || path === LISTS_FILES) return false;
    // Files of tests may import each other in a circle.
    seen.set(path, false);
    const found = STARTS_PROGRAMS.test(text) || [...text.matchAll(IMPORTED)]
      .some(([, name]) => starts(posix.join(posix.dirname(path), name)));
    seen.set(path, found);
    return found;
  };
  return starts;
}
