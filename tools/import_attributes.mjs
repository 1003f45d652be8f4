/**
 * Finds imports that JSR refuses: it takes no attribute but `type: "json"`.
 */
import * as fs from "node:fs/promises";
import { join } from "node:path";

const CODE = /\.[cm]?[jt]sx?$/;
const GAP = String.raw`(?:\s|/\*[\s\S]*?\*/|//[^\n]*\n)*`;
/** `from "a" with { … }`, `import "a" with { … }`, and `assert` as they were called before. */
const STATIC = new RegExp(
  String
    .raw`\b(?:from|import)${GAP}(?:"[^"\n]*"|'[^'\n]*')${GAP}\b(?:with|assert)${GAP}\{([^}]*)\}`,
  "g",
);
/** `import(…, { with: { … } })`. */
const DYNAMIC = /\bimport\s*\([^;]{0,500}?,\s*\{\s*["']?(?:with|assert)["']?\s*:\s*\{([^}]*)\}/g;

/**
 * The attributes in a module's code that JSR refuses.
 *
 * @param {string} code of a module
 * @returns {{ line: number, text: string }[]} where each stands, and what it says
 */
export function refusedAttributes(code) {
  return [...code.matchAll(STATIC), ...code.matchAll(DYNAMIC)]
    .filter((match) => !isComment(code, match.index) && !isJson(match[1]))
    .map((match) => ({
      line: lineOf(code, match.index),
      text: match[1].trim().replaceAll(/\s+/g, " "),
    }))
    .sort((a, b) => a.line - b.line);
}

/**
 * The same of all code that is published.
 *
 * @param {string} root the package
 * @returns {Promise<string[]>} `path:line: attributes`
 */
export async function refusedInPackage(root) {
  const { publish } = JSON.parse(await fs.readFile(join(root, "deno.json"), "utf8"));
  const found = [];
  for (const path of await codeIn(root, publish.include)) {
    const code = await fs.readFile(join(root, path), "utf8");
    for (const { line, text } of refusedAttributes(code)) found.push(`${path}:${line}: ${text}`);
  }
  return found;
}

async function codeIn(root, places) {
  const paths = [];
  for (const place of places) {
    // What is not there can't be published, which the release check says by itself.
    const stat = await fs.stat(join(root, place)).catch(() => undefined);
    if (stat?.isFile()) paths.push(place);
    else if (stat !== undefined) {
      const names = await fs.readdir(join(root, place), { recursive: true });
      paths.push(...names.map((name) => `${place}/${name.replaceAll("\\", "/")}`));
    }
  }
  return paths.filter((path) => CODE.test(path)).sort();
}

function isJson(attributes) {
  return /^\s*["']?type["']?\s*:\s*["']json["']\s*,?\s*$/.test(attributes);
}

function isComment(code, at) {
  return /^\s*(?:\/\/|\/?\*)/.test(code.slice(code.lastIndexOf("\n", at - 1) + 1, at));
}

function lineOf(code, at) {
  return code.slice(0, at).split("\n").length;
}
