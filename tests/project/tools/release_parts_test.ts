import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { parse } from "deno-std/yaml/parse.js";
import { changelogProblems, dateOf, unreleased } from "../../../tools/release/changelog.mjs";
import { brokenLinks } from "../../../tools/release/links.mjs";
import { fileProblems } from "../../../tools/release/package_files.mjs";
import {
  composeProblems,
  dockerfileProblems,
  workflowProblems,
} from "../../../tools/release/workflows.mjs";

const GOOD = `# Changelog

## [Unreleased]

## [0.2.0] - 2026-11-29

### Added

- A.

### Fixed

- B.

## [0.1.0] - 2026-11-28

### Added

- C.
`;

describe("a changelog", () => {
  it("of the right form has no problems, and tells dates and what is not released", () => {
    assertEquals(changelogProblems(GOOD, "0.2.0", "2026-11-29"), []);
    assertEquals([dateOf(GOOD, "0.1.0"), dateOf(GOOD, "0.3.0")], ["2026-11-28", undefined]);
    const more = GOOD.replace("[Unreleased]", "[Unreleased]\n\n### Fixed\n\n- D.");
    assertEquals([unreleased(GOOD), unreleased(more)], [[], ["- D."]]);
    assertEquals(changelogProblems(more, "0.2.0", "2026-11-29"), []);
  });

  const wrong: [from: string, to: string, problem: string][] = [
    ["# Changelog", "# Changes", "line 1: expected # Changelog"],
    ["2026-11-29", "29.11.2026", "line 5: expected ## [1.2.3] - 2026-01-31"],
    ["[0.2.0]", "0.2.0", "line 5: expected ## [1.2.3] - 2026-01-31"],
    ["2026-11-29", "2026-11-31", "line 5: there is no 2026-11-31"],
    ["2026-11-29", "2027-01-01", "line 5: 2027-01-01 is yet to come"],
    ["2026-11-29", "2026-11-27", "line 15: 2026-11-28 is later"],
    ["[0.1.0]", "[0.3.0]", "line 15: 0.3.0 stands under 0.2.0"],
    ["[0.1.0]", "[0.2.0]", "line 15: 0.2.0 stands under 0.2.0"],
    ["### Fixed", "### Mended", "line 11: Mended is none of Added"],
    ["### Fixed", "### Added", "line 11: Added stands there twice"],
    ["- B.\n", "", "line 11: nothing stands under it"],
    ["- C.\n", "", "line 17: nothing stands under it"],
    ["## [0.2.0]", "## [0.1.9]", "the newest version is 0.1.9, and 0.2.0 is to be released"],
  ];
  for (const [from, to, problem] of wrong) {
    it(`with ${JSON.stringify(to)} for ${from.trim()} is wrong: ${problem}`, () => {
      const problems = changelogProblems(GOOD.replace(from, to), "0.2.0", "2026-11-29");
      assertEquals(problems.filter((text) => text.startsWith(problem)).length, 1, problems.join());
    });
  }
});

describe("files for JSR", () => {
  it("may have what all systems and URLs take", () => {
    const paths = ["README.md", "lib/a_b-c.ts", "deploy/rerelay@.service", "LICENSE"];
    assertEquals(fileProblems(paths.map((path) => ({ path, bytes: 1 }))), []);
  });

  it("may not be large, links, of one name but for its case, or strangely called", () => {
    const problems = fileProblems([
      { path: "a.bin", bytes: 4_000_000 },
      { path: "b.ts", bytes: 1, isLink: true },
      { path: "docs/C.md", bytes: 1 },
      { path: "docs/c.md", bytes: 1 },
      { path: "d e.md", bytes: 1 },
      { path: "docs/100%.md", bytes: 1 },
      { path: "f.", bytes: 1 },
      { path: "lib/aux.ts", bytes: 1 },
      { path: `${"g".repeat(96)}.ts`, bytes: 1 },
      { path: `${"h/".repeat(80)}h.ts`, bytes: 1 },
      { path: "_dist/i.js", bytes: 1 },
    ]);
    const named = problems.map((text) => text.split(" ").slice(0, 2).join(" ").slice(0, 12));
    assertEquals(named, [
      "a.bin has",
      "b.ts is",
      "d e.md",
      "docs/100%.md",
      "f. has",
      "lib/aux.ts h",
      "gggggggggggg",
      "h/h/h/h/h/h/",
      "_dist/i.js i",
      "docs/c.md an",
    ]);
    const many = Array.from({ length: 6 }, (_, i) => ({ path: `${i}.bin`, bytes: 3_900_000 }));
    assertEquals(fileProblems(many).length, 1);
  });
});

describe("links", () => {
  const texts = new Map([
    ["README.md", "[a](docs/a.md) [b](docs/a.md#two-words--more) [c](#own) [d](docs/)\n# Own\n"],
    [
      "docs/a.md",
      "## Two words + more\n## `--flag` \n[up](../README.md#own) [f](#--flag) `[no](no.md)`\n",
    ],
  ]);
  const files = new Set(["README.md", "docs/a.md"]);

  it("to files, folders and headings lead there", () => {
    assertEquals(brokenLinks(texts, files), []);
  });

  it("to what is not there are told", () => {
    const text = "[a](docs/b.md) [b](docs/a.md#three) ![c](c.png) [d](#other) [e](https://x.y/z)";
    assertEquals(brokenLinks(new Map([...texts, ["README.md", text]]), files), [
      "README.md: docs/b.md",
      "README.md: docs/a.md#three",
      "README.md: c.png",
      "README.md: #other",
      "docs/a.md: ../README.md#own",
    ]);
  });
});

describe("workflows, compose files and Dockerfiles", () => {
  const known = { scripts: ["test", "build"], targets: ["linux-x64"], files: new Set([".ci/run"]) };
  const job = (lines: string) =>
    `on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    timeout-minutes: 1\n    steps:\n${lines}`;

  it("have no problems where all is there", () => {
    const text = job(
      "      - uses: actions/checkout@v4\n      - run: npm test\n      - run: .ci/run",
    );
    assertEquals(workflowProblems(parse(text), known), []);
  });

  const wrong: [text: string, problem: string][] = [
    [job("      - run: npm run tset"), "job a: there is no npm run tset"],
    [
      job("      - run: npm run build -- linux-x64 linux-x68"),
      "job a: nothing is built for linux-x68",
    ],
    [job("      - run: .ci/runs"), "job a: there is no .ci/runs"],
    [job("      - uses: actions/checkout"), "job a: actions/checkout names no version"],
    [job("      - name: nothing"), "job a: a step neither uses nor runs anything"],
    [job("").replace("steps:", "needs: [b]"), "job a: it needs b, and there is no such job"],
    [job("").replace("    runs-on: ubuntu-latest\n", ""), "job a: it says not what it runs on"],
    [job("").replace("    timeout-minutes: 1\n", ""), "job a: without timeout-minutes it may"],
    [job("").replace("on: push\n", ""), "nothing starts it (on)"],
    ["on: push", "it has no jobs"],
    ["[]", "this is no workflow"],
  ];
  for (const [text, problem] of wrong) {
    it(`are wrong: ${problem}`, () => {
      const problems = workflowProblems(parse(text), known);
      assertEquals(problems.map((said) => said.slice(0, problem.length)), [problem]);
    });
  }

  it("of compose name what there is", () => {
    const files = new Set(["deploy/Dockerfile"]);
    const of = (text: string) => composeProblems(parse(text), "deploy/compose.yaml", files);
    const build = "build:\n      context: ..\n      dockerfile: deploy/Dockerfile";
    const good =
      `services:\n  a:\n    ${build}\n    ports: ["127.0.0.1:1:1"]\n    volumes: [b:/c]\n`;
    assertEquals(of(`${good}volumes:\n  b:\n`), []);
    assertEquals(of(good), ["service a: no volume is called b"]);
    assertEquals(of(good.replace("deploy/D", "d").replace("b:/c", "./b:/c")), [
      "service a: there is no dockerfile",
    ]);
    assertEquals(of("services:\n  a:\n    ports: [x]\n"), [
      "service a: it has neither image nor build",
    ]);
    assertEquals(of('services:\n  a:\n    image: x\n    ports: ["a:b"]\n'), [
      "service a: a:b is no port",
    ]);
    assertEquals(of("a: 1"), ["it has no services"]);
  });

  it("of Docker copy what there is, and build with what is tested", () => {
    const of = (text: string) =>
      dockerfileProblems(text, { bun: "1.4.5", files: new Set(["package.json", "lib/a.ts"]) });
    const good =
      "FROM oven/bun:1.4.5 AS build\nCOPY package.json lib ./\nCOPY . .\nFROM debian:12\n" +
      "COPY --from=build --chown=1:1 /a /b\n";
    assertEquals(of(good), []);
    assertEquals(of(good.replace("1.4.5", "1.4.4")), [
      "it builds with Bun 1.4.4, and 1.4.5 is tested",
    ]);
    assertEquals(of(good.replace("debian:12", "debian")), ["debian names no version"]);
    assertEquals(of(good.replace("=build", "=built")), ["no stage is called built"]);
    assertEquals(of(good.replace("package.json", "package.jsn")), [
      "there is no package.jsn to copy",
    ]);
  });
});
