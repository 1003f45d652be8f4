/**
 * Holds HTTP/2 against h2spec, the conformance tests of RFC 9113 and 7541, on Deno and on Bun; Go
 * fetches and builds it once. Without Go they are skipped.
 *
 * `deno run -A tests/conformance/h2spec.ts [--runtimes deno,bun]`
 */
import { access, mkdir } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "@std/cli";
import { Child, killAll, run } from "./child.ts";
import { cacheFolder } from "./sdk_cache.ts";

const MODULE = "github.com/summerwind/h2spec/cmd/h2spec@latest";
/** How many tests it has. */
const TESTS = 145;
/** Its server's first start, and fetching it on a slow line, in milliseconds. */
const READY_MS = 60_000;
const INSTALL_MS = 300_000;
/** All of its tests take half a second if none has to wait for its own deadline. */
const RUN_MS = 120_000;
/** Where Go's own packages put it, for those who have not put it on their path. */
const GO = ["go", "/usr/local/go/bin/go"];

const SERVER = fileURLToPath(new URL("h2_server.ts", import.meta.url));
const COMMANDS: Record<string, readonly string[]> = {
  deno: ["deno", "run", "-A", "--no-check", SERVER],
  bun: ["bun", "run", SERVER],
};

async function findGo(): Promise<string | undefined> {
  for (const go of GO) {
    try {
      await run([go, "version"], { ms: 20_000 });
      return go;
    } catch {
      // The next one may be there.
    }
  }
  return undefined;
}

/** Where h2spec is, fetched if need be. */
async function install(go: string): Promise<string> {
  const folder = join(cacheFolder(), "..", "h2spec");
  const program = join(folder, process.platform === "win32" ? "h2spec.exe" : "h2spec");
  try {
    await access(program);
  } catch {
    await mkdir(folder, { recursive: true });
    const env = { ...process.env, GOBIN: folder } as Record<string, string>;
    await run([go, "install", MODULE], { ms: INSTALL_MS, env });
  }
  return program;
}

/** How many tests passed; says which did not. */
async function test(h2spec: string, runtime: string): Promise<number> {
  await using server = new Child(COMMANDS[runtime]!);
  const [, port] = await server.waitFor(/Port (\d+)/, READY_MS);
  // It sends a header block too long for one frame only if it knows how long blocks may be.
  const args = ["-h", "127.0.0.1", "-p", port!, "-o", "3", "--max-header-length", "4000"];
  await using child = new Child([h2spec, ...args]);
  const deadline = setTimeout(() => child.kill("SIGKILL"), RUN_MS);
  const { stdout } = await child.ended;
  clearTimeout(deadline);
  const counts = /(\d+) tests, (\d+) passed, (\d+) skipped/.exec(stdout);
  const passed = Number(counts?.[2] ?? 0);
  if (passed < TESTS) console.log(stdout.slice(Math.max(0, stdout.indexOf("Failures:"))));
  console.log(`${runtime.padEnd(4)} ${passed} of ${counts?.[1] ?? TESTS}`);
  return passed;
}

const args = parseArgs(process.argv.slice(2), { string: ["runtimes"] });
const runtimes = String(args.runtimes ?? "deno,bun").split(",");
for (const name of runtimes.filter((name) => !(name in COMMANDS))) {
  console.error(`"${name}" is neither deno nor bun.\nOptions: --runtimes deno,bun`);
  process.exit(2);
}
const all = TESTS * runtimes.length;
let passed = 0;
let skipped = 0;
try {
  const go = await findGo();
  if (go === undefined) {
    console.log("Skipped: h2spec is built by Go, and there is no go on PATH");
    skipped = all;
  } else {
    const h2spec = await install(go);
    for (const runtime of runtimes) passed += await test(h2spec, runtime);
  }
} catch (error) {
  console.error((error as Error).message);
} finally {
  killAll();
}
const failed = all - passed - skipped;
console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""}`);
process.exit(failed === 0 ? 0 : 1);
