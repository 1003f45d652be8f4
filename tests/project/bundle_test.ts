import { after, before, describe, it } from "node:test";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import process from "node:process";
import { assert, assertEquals } from "@std/assert";
import { detectRuntime } from "../../lib/adapters/runtime.ts";
import { staticImportsOf } from "./code.ts";
import { read, readJson, ROOT, sources } from "./tree.ts";

/** What is loaded at once, and all there is. */
const LIMITS = { atOnce: 160 * 1024, inAll: 272 * 1024 };
/** Loaded only when they are used: none may be imported statically. */
const ON_DEMAND = ["apache-arrow", "hono", "ipaddr.js", "rerun-web-viewer-0-33"];

/**
 * Bundles with what the runtime itself offers; packages that load on demand stay imports.
 *
 * @returns its files, in which what is loaded on demand is apart from the rest
 */
function bundle(entry: string, out: string): Map<string, string> {
  const external = ON_DEMAND.flatMap((name) => [name, `${name}/*`]);
  const args = detectRuntime() === "deno"
    ? ["bundle", "--quiet", "--no-lock", "--minify", "--code-splitting", `--outdir=${out}`]
    : ["build", "--target=bun", "--minify", "--splitting", `--outdir=${out}`];
  const externals = external.map((name) => `--external=${name}`);
  const { status, stderr } = spawnSync(process.execPath, [...args, ...externals, entry], {
    cwd: ROOT,
    encoding: "utf8",
  });
  assertEquals(status, 0, stderr);
  return new Map(readdirSync(out).map((name) => [name, readFileSync(join(out, name), "utf8")]));
}

/** The file itself, and all that it imports before it runs. */
function loadedAtOnce(files: ReadonlyMap<string, string>, entry: string): string[] {
  const names = new Set([entry]);
  for (const name of names) {
    for (const [, next] of files.get(name)!.matchAll(/\b(?:from|import)\s*"\.\/([^"]+)"/g)) {
      names.add(next!);
    }
  }
  return [...names];
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
    const known = ["@bufbuild/protobuf/wire", "@std/streams", "@std/text"];
    assertEquals([...packages].filter((name) => !known.includes(name)), []);
  });

  it("is nothing of HTTP/2 and gRPC but its statuses, as most servers need them late or never", () => {
    const found = [...paths].filter((path) => /^lib\/comms\/(h2|grpc)\//.test(path));
    assertEquals(found, ["lib/comms/grpc/status.ts"]);
    assert(!paths.has("lib/server/guests.ts"));
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
  let files = new Map<string, string>();
  before(() => {
    files = bundle("mod.ts", folder);
  });
  after(() => rmSync(folder, { recursive: true }));

  const bytesOf = (names: Iterable<string>) =>
    [...names].reduce((sum, name) => sum + new TextEncoder().encode(files.get(name)).length, 0);

  it(`loads under ${LIMITS.atOnce / 1024} KiB at once`, () => {
    const bytes = bytesOf(loadedAtOnce(files, "mod.js"));
    assert(bytes > 50_000, `${bytes} bytes are too few to be the server`);
    assert(bytes < LIMITS.atOnce, `they are ${bytes} bytes`);
  });

  it(`is under ${LIMITS.inAll / 1024} KiB in all`, () => {
    const bytes = bytesOf(files.keys());
    assert(bytes < LIMITS.inAll, `it has ${bytes} bytes`);
  });

  it("keeps those on demand apart by names that package.json has", () => {
    const { dependencies } = readJson<{ dependencies: Record<string, string> }>("package.json");
    const dynamic = [
      ...[...files.values()].join("\n").matchAll(
        /\bimport\(\s*["']((?:@[^"'/]+\/)?[^"'./][^"'/]*)/g,
      ),
    ]
      .map(([, name]) => name!);
    assert(dynamic.includes("apache-arrow"), dynamic.join());
    assertEquals([...new Set(dynamic)].filter((name) => !(name in dependencies)), []);
  });
});
