/**
 * What JSR refuses of a package's files, and its dry run does not say.
 */

/** In bytes; JSR's own documentation says less than its code does, and the smaller one counts. */
const MAX_FILE_BYTES = 4_000_000;
const MAX_PACKAGE_BYTES = 20_000_000;
const MAX_PATH = 155;
const MAX_NAME = 95;
const RESERVED = /^(?:con|prn|aux|nul|com\d|lpt\d)$/i;

/**
 * What is wrong with the files that are published.
 *
 * @param {readonly { path: string, bytes: number, isLink?: boolean }[]} files
 * @returns {string[]}
 */
export function fileProblems(files) {
  const problems = files.flatMap(({ path, bytes, isLink }) => [
    ...(isLink ? [`${path} is a link`] : []),
    ...(bytes >= MAX_FILE_BYTES
      ? [`${path} has ${bytes} bytes, and JSR takes less than 4 MB`]
      : []),
    ...pathProblems(path).map((problem) => `${path} ${problem}`),
  ]);
  const seen = new Map();
  for (const { path } of files) {
    const other = seen.get(path.toLowerCase());
    if (other !== undefined) problems.push(`${path} and ${other} are one file on other systems`);
    seen.set(path.toLowerCase(), path);
  }
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total >= MAX_PACKAGE_BYTES) problems.push(`all have ${total} bytes, and JSR takes 20 MB`);
  return problems;
}

function pathProblems(path) {
  const segments = path.split("/");
  const problems = [];
  if (path.length + 1 >= MAX_PATH || segments.at(-1).length >= MAX_NAME) {
    problems.push("is too long a path");
  }
  const wrong = /[^\w$()+\-.@[\]{}~/]/.exec(path)?.[0];
  if (wrong !== undefined) problems.push(`has ${JSON.stringify(wrong)} in its path`);
  if (segments.some((segment) => segment === "" || segment.endsWith("."))) {
    problems.push("has a part that is empty or ends with a dot");
  }
  if (segments.some((segment) => RESERVED.test(segment.split(".")[0]))) {
    problems.push("has a name that Windows keeps for devices");
  }
  if (segments[0] === "_dist" || segments[0] === ".git") {
    problems.push("is in a folder of JSR's own");
  }
  return problems;
}
