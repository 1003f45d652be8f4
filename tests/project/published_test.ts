import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { posix } from "node:path";
import { projectFiles, read, readJson } from "./tree.ts";

const { publish } = readJson<{ publish: { include: string[]; exclude: string[] } }>("deno.json");
const { files } = readJson<{ files: string[] }>("package.json");

/** Whether a place of a list is a file, or a folder that has it; `*` is all but a slash. */
function has(places: readonly string[], path: string): boolean {
  return places.some((place) =>
    new RegExp(`^${place.replaceAll(".", "\\.").replaceAll("*", "[^/]*")}(?:/|$)`).test(path)
  );
}

const published = projectFiles().filter((path) =>
  has(publish.include, path) && !has(publish.exclude, path)
);

/** Targets of links and pictures in a text, but for those on other hosts or in the same text. */
function links(markdown: string): string[] {
  const text = markdown.replaceAll(/^```.*?^```/gms, "").replaceAll(/`[^`\n]*`/g, "");
  const found = [
    ...text.matchAll(/\]\(<?([^)\s>]+)/g),
    ...text.matchAll(/^\[[^\]]+\]:\s*<?([^\s>]+)/gm),
    ...text.matchAll(/<(?:img|a|source)\b[^>]*?\b(?:src|href|srcset)="([^"\s]+)/g),
  ].map(([, target]) => target!);
  return found.filter((target) => !/^(?:[a-z][a-z+.-]*:|#|\/\/)/i.test(target));
}

describe("links", () => {
  it("are found in each way to write them", () => {
    const text = [
      "[a](docs/a.md#part) ![b](docs/b.svg) [c](<docs/c.md>) [![d](d.png)](e.md)",
      '<img alt="f" src="f.png"> [g][1] [h](https://example.com/h.md) [i](#i)',
      "`[j](j.md)`\n```md\n[k](k.md)\n```",
      "[1]: g.md",
    ].join("\n");
    const expected = [
      "docs/a.md#part",
      "docs/b.svg",
      "docs/c.md",
      "d.png",
      "e.md",
      "g.md",
      "f.png",
    ];
    assertEquals(links(text), expected);
  });
});

describe("what is published", () => {
  it("has all that its own texts link to", () => {
    const texts = published.filter((path) => path.endsWith(".md"));
    assert(texts.includes("README.md") && texts.includes("CONTRIBUTING.md"), texts.join());
    const found = texts.flatMap((path) =>
      links(read(path)).map((link) => {
        const target = posix.join(posix.dirname(path), link.replace(/[#?].*$/, ""));
        return { path, target };
      })
    );
    assert(found.some(({ target }) => /^docs\/.*\.(?:png|svg)$/.test(target)), "no picture found");
    assertEquals(found.filter(({ target }) => !published.includes(target)), []);
  });

  it("is the same for JSR and for npm, which adds the README and the licence", () => {
    const code = new Set(files.filter((place) => !place.startsWith("!")));
    // Bun finds the stand-ins for @std by the settings of TypeScript.
    for (const place of ["std", "tsconfig.json"]) assert(code.delete(place), place);
    const byItself = ["README.md", "LICENSE", "deno.json"];
    assertEquals([...code, ...byItself].sort(), publish.include.toSorted());
    const left = files.filter((place) => place.startsWith("!")).map((place) => place.slice(1));
    assertEquals(left, publish.exclude);
  });

  it("has no file of the page twice", () => {
    const page = published.filter((path) => path.startsWith("lib/viewers/page/"));
    assertEquals(page.filter((path) => !path.endsWith(".ts")), []);
    assert(page.includes("lib/viewers/page/page_files.ts"));
  });
});
