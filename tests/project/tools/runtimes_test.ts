import { afterEach, beforeEach, describe, it } from "node:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { detectRuntime } from "../../../lib/adapters/runtime.ts";
import { ensureRuntimes, ToolError, versions } from "../../../tools/runtimes.mjs";

const VERSIONS = await versions();
/** The one that does not run the test: the other is always there. */
const NAME = detectRuntime() === "deno" ? "bun" : "deno";
const VERSION = VERSIONS[NAME];
const SAYS = NAME === "deno" ? `deno ${VERSION} (stable)` : VERSION;

describe("ensureRuntimes", { skip: process.platform === "win32" }, () => {
  let folder = "";
  let env: Record<string, string | undefined> = {};

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "rerelay-runtimes-"));
    mkdirSync(join(folder, "bin"));
    env = {
      PATH: [join(folder, "bin"), "/bin", "/usr/bin"].join(delimiter),
      RERELAY_TOOLS: join(folder, "tools"),
    };
    // Whatever is installed on this machine must not be found.
    program(join(folder, "bin", NAME), "echo 0.0.1");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function program(path: string, script: string): void {
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
  }

  /** An npm that writes down how it was called, and installs what `binaries` says. */
  function npm(binaries: Record<string, string>): void {
    const scope = NAME === "deno" ? "@deno" : "@oven";
    const place = NAME === "deno" ? "" : "/bin";
    const install = Object.entries(binaries).map(([platform, script]) => {
      const target = `node_modules/${scope}/${platform}${place}`;
      return `mkdir -p ${target}; printf '#!/bin/sh\\n${script}\\n' > ${target}/${NAME}`;
    });
    program(
      join(folder, "bin", "npm"),
      [`echo "$@" >> ${join(folder, "calls")}`, ...install].join("\n"),
    );
  }

  const calls = () => readFileSync(join(folder, "calls"), "utf8").trim().split("\n");
  const ensure = (fetch: boolean) => ensureRuntimes([NAME], { fetch, env });
  const kept = () => join(folder, "tools", `${NAME}-${VERSION}`, NAME);

  it("takes the one on PATH if its version fits", async () => {
    program(join(folder, "bin", NAME), `echo ${JSON.stringify(SAYS)}`);
    const { paths, env: after } = await ensure(true);
    assertEquals(paths[NAME], join(folder, "bin", NAME));
    assertEquals(after.PATH, env.PATH);
  });

  it("says that there is none, where it may not fetch", async () => {
    npm({ any: `echo ${SAYS}` });
    assertEquals((await ensure(false)).paths[NAME], undefined);
    assert(!existsSync(join(folder, "calls")));
  });

  it("fetches it once, running no install scripts, and puts it first on PATH", async () => {
    npm({ "linux-x64": `echo "${SAYS}"` });
    const { paths, env: after } = await ensure(true);
    assertEquals(paths[NAME], kept());
    assertEquals(after.PATH, [join(folder, "tools", `${NAME}-${VERSION}`), env.PATH].join(":"));
    await ensure(true);
    assertEquals(calls().length, 1);
    assertStringIncludes(calls()[0]!, `install ${NAME}@${VERSION} --prefix`);
    assertStringIncludes(calls()[0]!, "--ignore-scripts");
    assertEquals(readdirSync(join(folder, "tools")), [`${NAME}-${VERSION}`]);
  });

  it("may be called by several at once", async () => {
    npm({ "linux-x64": `echo "${SAYS}"` });
    const found = await Promise.all(Array.from({ length: 4 }, () => ensure(true)));
    assertEquals(new Set(found.map(({ paths }) => paths[NAME])), new Set([kept()]));
    assertEquals(readdirSync(join(folder, "tools")), [`${NAME}-${VERSION}`]);
  });

  it("takes of several platforms the one that runs here", async () => {
    npm({ "a-musl": "exit 127", "b-glibc": `echo "${SAYS}"`, "c-other": "echo 9.9.9" });
    assertEquals((await ensure(true)).paths[NAME], kept());
    assertStringIncludes(readFileSync(kept(), "utf8"), SAYS);
  });

  it("says what npm said, and how to go on, when it can't be fetched", async () => {
    program(join(folder, "bin", "npm"), "echo npm error network; exit 1");
    const { message } = await assertRejects(() => ensure(true), ToolError);
    for (const part of ["npm error network", "put it on PATH", "RERELAY_TOOLS"]) {
      assertStringIncludes(message, part);
    }
    assertEquals(readdirSync(join(folder, "tools")), []);
  });

  it("says so when nothing that npm has runs here", async () => {
    npm({ "a-musl": "echo no such library; exit 127" });
    const { message } = await assertRejects(() => ensure(true), ToolError);
    for (const part of [process.platform, "a-musl: no such library", "put it on PATH"]) {
      assertStringIncludes(message, part);
    }
  });
});
