/**
 * Links of texts that lead nowhere: to files that are not published, and to headings that are not there.
 */
import { posix } from "node:path";

/**
 * The links that lead nowhere.
 *
 * @param {ReadonlyMap<string, string>} texts in Markdown, by path
 * @param {ReadonlySet<string>} files all that may be linked to
 * @returns {string[]} `path: target`
 */
export function brokenLinks(texts, files) {
  const anchors = new Map();
  const anchorsOf = (path) => {
    if (!anchors.has(path)) anchors.set(path, headings(texts.get(path) ?? ""));
    return anchors.get(path);
  };
  const broken = [];
  for (const [path, text] of texts) {
    for (const target of linksIn(text)) {
      const [name, anchor] = target.split("#");
      const file = name === "" ? path : place(path, name);
      const isThere = files.has(file) || [...files].some((other) => other.startsWith(`${file}/`));
      const leads = isThere &&
        (anchor === undefined || !texts.has(file) || anchorsOf(file).has(anchor));
      if (!leads) broken.push(`${path}: ${target}`);
    }
  }
  return broken;
}

/** Where a link of a text leads. */
function place(path, name) {
  return posix.join(posix.dirname(path), decodeURI(name)).replace(/\/$/, "");
}

/** Targets of links and pictures, but for those on other hosts. */
function linksIn(markdown) {
  const text = withoutCode(markdown);
  const found = [
    ...text.matchAll(/\]\(<?([^)\s>]+)/g),
    ...text.matchAll(/^\[[^\]]+\]:\s*<?([^\s>]+)/gm),
    ...text.matchAll(/<(?:img|a|source)\b[^>]*?\b(?:src|href|srcset)="([^"\s]+)/g),
  ].map(([, target]) => target);
  return found.filter((target) => !/^(?:[a-z][a-z+.-]*:|\/\/)/i.test(target));
}

/** The names by which headings are linked to, as GitHub makes them. */
function headings(markdown) {
  const names = new Set();
  for (const [, heading] of withoutFences(markdown).matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const base = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, "").replaceAll(" ", "-");
    let name = base;
    for (let i = 1; names.has(name); i++) name = `${base}-${i}`;
    names.add(name);
  }
  for (const [, id] of markdown.matchAll(/<a (?:id|name)="([^"]+)"/g)) names.add(id);
  return names;
}

function withoutCode(markdown) {
  return withoutFences(markdown).replaceAll(/`[^`\n]*`/g, "");
}

function withoutFences(markdown) {
  return markdown.replaceAll(/^ *```[\s\S]*?^ *```/gm, "");
}
