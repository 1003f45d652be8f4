/**
 * Runs the command line: `node tools/start.mjs [deno|bun] [ARGS]`. Without a name on the runtime that
 * asked for it (`deno task start`, `bun start`), else on Deno.
 */
import { join } from "node:path";
import process from "node:process";
import { endAs, launch } from "./launch.mjs";
import { DENO_FLAGS, ensureRuntimes, mayFetch, ROOT, ToolError } from "./runtimes.mjs";

const PERMISSIONS = [
  ...["--allow-net", "--allow-read", "--allow-write", "--allow-env"],
  "--allow-sys=systemMemoryInfo,setPriority",
];
const OPENERS = { darwin: "open", win32: "rundll32" };

function command(runtime, path, args) {
  const script = join(ROOT, "cli.ts");
  // Options come from where the docs say, on both runtimes: Bun would read a .env file as well.
  if (runtime === "bun") return [path, "run", "--no-env-file", script];
  // A program may be started only if the user wants that.
  const opener = args.includes("--web-viewer")
    ? [`--allow-run=${OPENERS[process.platform] ?? "xdg-open"}`]
    : [];
  return [path, "run", "--no-prompt", "--quiet", ...DENO_FLAGS, ...PERMISSIONS, ...opener, script];
}

const args = process.argv.slice(2);
const asked = ["deno", "bun"].includes(args[0]) ? args.shift() : undefined;
const runtime = asked ?? (mayFetch() || process.versions.deno ? "deno" : "bun");
try {
  const { paths, env } = await ensureRuntimes([runtime], { fetch: mayFetch() });
  const path = paths[runtime];
  if (!path) throw new ToolError(`There is no ${runtime} of the right version on PATH.`);
  const [program, ...before] = command(runtime, path, args);
  endAs(await launch(program, [...before, ...args], { env }));
} catch (error) {
  if (!(error instanceof ToolError)) throw error;
  process.stderr.write(`rerelay: ${error.message}\n`);
  process.exit(1);
}
