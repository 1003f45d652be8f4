import { assert, assertEquals } from "@std/assert";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { EXIT } from "../../lib/cli/exit_codes.ts";
import { projectFiles, sources } from "./tree.ts";
import { OPTION_TABLE } from "../../lib/cli/args/option_table.ts";
import type { CliOption } from "../../lib/cli/args/option.ts";

const read = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), "utf8");
const [readme, contributing, cli, library, dependenciesDoc] = await Promise.all(
  ["README.md", "CONTRIBUTING.md", "docs/cli.md", "docs/library.md", "docs/dependencies.md"]
    .map(read),
) as [string, string, string, string, string];
const docs = await Promise.all(
  projectFiles().filter((path) => /^docs\/.*\.md$/.test(path)).map(read),
);
/** What a user may read of this project. */
const texts = [readme, contributing, ...docs].join("\n");

/** More of it belongs into docs/. */
const LONGEST_README = 180;
const { scripts, dependencies, devDependencies } = JSON.parse(await read("package.json"));
const { tasks, imports } = JSON.parse(await read("deno.json"));

/** Cells of the rows of the first table whose heading begins with these cells. */
function table(text: string, ...heading: string[]): string[][] {
  const rows = text.split("\n").map((line) =>
    line.startsWith("|") ? line.split("|").slice(1, -1).map((cell) => cell.trim()) : undefined
  );
  const start = rows.findIndex((row) => row && heading.every((cell, i) => row[i] === cell));
  assert(start >= 0, `There is no table of ${heading.join(", ")}.`);
  const end = rows.indexOf(undefined, start);
  return rows.slice(start + 2, end < 0 ? undefined : end) as string[][];
}

function optionRow({ name, value, short, default: preset, help }: CliOption): string[] {
  const long = value === undefined ? `\`--${name}\`` : `\`--${name} ${value}\``;
  const option = short === undefined ? long : `\`-${short}\`, ${long}`;
  return [option, preset === undefined ? "" : `\`${preset}\``, help];
}

/** Fields of an interface, with those of the imported interfaces that it extends. */
async function fieldsOf(name: string, path: string): Promise<string[]> {
  const source = await read(path);
  const declared = new RegExp(
    `^export interface ${name}(?: extends ([\\w, ]+))? \\{\n(.*?)\n\\}`,
    "ms",
  );
  const [, bases, body = ""] = declared.exec(source) ?? [];
  const fields = [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, field]) => field!);
  assert(fields.length > 0, `${path} has no interface ${name}.`);
  for (const base of bases?.split(", ") ?? []) {
    const [, from] = new RegExp(`\\b${base}\\b[^}]*\\} from "(\\.[^"]*)"`).exec(source) ?? [];
    const declaring = from === undefined
      ? path
      : new URL(from, `file:///${path}`).pathname.slice(1);
    fields.push(...await fieldsOf(base, declaring));
  }
  return fields;
}

/** Names after a command, such as `deno task NAME`. */
function named(pattern: RegExp): string[] {
  return [...texts.matchAll(pattern)].map(([, name]) => name!);
}

describe("the README", () => {
  it(`has at most ${LONGEST_README} lines`, () => {
    const lines = readme.trimEnd().split("\n").length;
    assert(lines <= LONGEST_README, `${lines} lines: what of them belongs into docs/?`);
  });

  it("names options that exist among those most used", () => {
    const named = table(readme, "Option", "What it does").map(([cell]) =>
      /^`--([a-z-]+)/.exec(cell!)?.[1]
    );
    assert(named.length > 5);
    const all = OPTION_TABLE.map(({ name }) => name as string);
    assertEquals(named.filter((name) => !all.includes(name!)), []);
  });

  it("names every room of lib/ in its map", () => {
    const rooms = new Set(
      sources("lib/").map((path) => /^lib\/(?:[^/]+\/|pipeline\.ts)/.exec(path)?.[0]),
    );
    rooms.delete(undefined);
    const map = table(readme, "Where").flatMap(([cell]) =>
      cell!.match(/(?<=`)lib\/[^`]+(?=`)/g) ?? []
    );
    assertEquals(map.sort(), [...rooms].sort());
  });
});

describe("the docs", () => {
  it("has the options of the command line", () => {
    assertEquals(table(cli, "Option", "Default"), OPTION_TABLE.map(optionRow));
  });

  it("has the options of serve", async () => {
    const names = await fieldsOf("ServeOptions", "lib/server/options.ts");
    assert(names.length > 0);
    const told = table(library, "Option", "What it is").map(([name]) => name!.replaceAll("`", ""));
    assertEquals(told.sort(), names.sort());
  });

  it("has the exit codes", () => {
    const { signal, ...others } = EXIT;
    const codes = table(cli, "Exit code").flatMap(([cell]) => cell!.split(", ").map(Number));
    assertEquals(codes, [...Object.values(others), ...Object.values(signal)]);
  });

  it("has the dependencies", () => {
    const names = table(dependenciesDoc, "Package").map(([name]) => name!.replaceAll("`", ""));
    const all = [dependencies, devDependencies, imports].flatMap((list) => Object.keys(list));
    assertEquals(names.sort(), [...new Set(all)].sort());
  });
});

describe("README, docs and CONTRIBUTING", () => {
  it("name scripts of package.json", () => {
    const names = named(/\b(?:npm|bun) run ([a-z][\w:-]*)(?![\w./:-])/g);
    assert(names.includes("start:bun"));
    assertEquals(names.filter((name) => !(name in scripts)), []);
    for (const short of named(/\b(?:npm|bun) (start|test)\b/g)) assert(short in scripts, short);
  });

  it("name tasks of deno.json", () => {
    const names = named(/\bdeno task ([a-z][\w:-]*)/g);
    assert(names.includes("start"));
    assertEquals(names.filter((name) => !(name in tasks)), []);
  });

  it("name files that exist", async () => {
    const files = named(/(?<![\w/.@-])((?:lib|tests|tools)\/[a-z\d_./-]*\.[a-z]+)/g);
    assert(files.length > 5);
    for (const path of new Set(files)) await read(path);
  });
});

describe("links of README and docs", () => {
  const pages = ["README.md", ...projectFiles().filter((path) => /^docs\/.*\.md$/.test(path))];

  it("lead to files that exist", async () => {
    let links = 0;
    for (const page of pages) {
      const text = await read(page);
      for (const [, target] of text.matchAll(/\]\(((?!https?:|#)[^)\s]+)\)/g)) {
        links++;
        const [path] = target!.split("#");
        await readFile(new URL(path!, new URL(`../../${page}`, import.meta.url)));
      }
    }
    assert(links > 10);
  });
});
