/**
 * Makes `lib/viewers/page/page_files.ts` of the files that browsers are served: JSR takes no text
 * imports. `deno task page-files` after each change to one of them; a test compares.
 */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { ROOT } from "./runtimes.mjs";

const FOLDER = "lib/viewers/page";
const SERVED = /\.(?:css|html|js|svg)$/;

/** Where the module is, relative to the package. */
export const PAGE_MODULE = `${FOLDER}/page_files.ts`;

/**
 * Writes the module's text.
 *
 * @param {string} root the package
 * @returns {Promise<string>}
 */
export async function pageModule(root) {
  const names = (await fs.readdir(join(root, FOLDER))).filter((name) => SERVED.test(name)).sort();
  const lines = await Promise.all(names.map(async (name) => {
    const text = await fs.readFile(join(root, FOLDER, name), "utf8");
    return `  ${JSON.stringify(name)}: ${JSON.stringify(text)},`;
  }));
  return [
    "// deno-fmt-ignore-file",
    "// Made by `deno task page-files` of the other files here: change those.",
    "",
    "/** The files of the page, by name. */",
    "export const PAGE_FILES: Readonly<Record<PageFile, string>> = {",
    ...lines,
    "};",
    "",
    "/** The name of one of them. */",
    `export type PageFile = ${names.map((name) => JSON.stringify(name)).join(" | ")};`,
    "",
  ].join("\n");
}

if (import.meta.main) {
  await fs.writeFile(join(ROOT, PAGE_MODULE), await pageModule(ROOT));
  process.stdout.write(`${PAGE_MODULE}\n`);
}
