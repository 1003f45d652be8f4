import { after, before, describe, it } from "node:test";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import process from "node:process";
import { assert, assertEquals } from "@std/assert";
import { detectRuntime } from "../../lib/adapters/runtime.ts";
import { staticImportsOf } from "./code.ts";
import { read, readJson, ROOT, sources } from "./tree.ts";

const LIMIT_BYTES = 192 * 1024;
/** Loaded only when they are used: none may be imported statically. */
const ON_DEMAND = ["apache-arrow", "hono", "ipaddr.js", "@rerun-io/web-viewer"];

/** Bundles with what the runtime itself offers; packages that load on demand stay imports. */
function bundle(entry: string, out: string): string {
  const external = ON_DEMAND.flatMap((name) => [name, `${name}/*`]);
  const args = detectRuntime() === "deno"
    ? ["bundle", "--quiet", "--no-lock", "--minify", "-o", out]
    : ["build", "--target=bun", "--minify", `--outfile=${out}`];
  const externals = external.map((name) => `--external=${name}`);
  const { status, stderr } = spawnSync(process.execPath, [...args, ...externals, entry], {
    cwd: ROOT,
    encoding: "utf8",
  });
  assertEquals(status, 0, stderr);
  return readFileSync(out, "utf8");
}

describe("what mod.ts loads at once", () => {
  const paths = new Set(["mod.ts"]);
  const packages = new Set<string>();
  for (const path of paths) {
    for (const specifier of staticImportsOf(read(path))) {
      if (specifier.startsWith(".")) paths.add(posix.join(posix.dirname(path), specifier));
      else packages.add(specifier);
    }
  }

  it("is the core, and of packages only small ones", () => {
    assert(
      paths.has("lib/server/server.ts") && paths.has("lib/encoding/rrd/rrd_decoder.ts"),
      [...paths].join(),
    );
    const known = ["@bufbuild/protobuf/wire", "@std/streams"];
    assertEquals([...packages].filter((name) => !known.includes(name)), []);
  });

  it("is no runtime's adapter", () => {
    const runtimes = sources("lib/")
      .filter((path) => /\/(?:_|serve_)?(?:deno|bun|node)[_.][^/]*$|^lib\/cli\//.test(path));
    for (const runtime of ["deno", "bun"]) {
      assert(runtimes.some((path) => path.endsWith(`/${runtime}_tcp.ts`)), `no TCP of ${runtime}`);
    }
    assertEquals(runtimes.filter((path) => paths.has(path)), []);
  });
});

describe("the bundle of mod.ts", () => {
  const folder = mkdtempSync(join(tmpdir(), "rerelay-bundle-"));
  let code = "";
  before(() => {
    code = bundle("mod.ts", join(folder, "mod.js"));
  });
  after(() => rmSync(folder, { recursive: true }));

  it(`is under ${LIMIT_BYTES / 1000} KB`, () => {
    const { length } = new TextEncoder().encode(code);
    assert(length > 10_000, `${length} bytes are too few to be the server`);
    assert(length < LIMIT_BYTES, `it has ${length} bytes`);
  });

  it("keeps those on demand apart by names that package.json has", () => {
    const { dependencies } = readJson<{ dependencies: Record<string, string> }>("package.json");
    const dynamic = [...code.matchAll(/\bimport\(\s*["']([^"'.][^"']*)["']\s*\)/g)]
      .map(([, name]) => name!);
    assertEquals([...new Set(dynamic)].filter((name) => !(name in dependencies)), []);
  });
});
